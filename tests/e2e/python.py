# SPDX-License-Identifier: LGPL-2.1-or-later
#
# python.py: a client of libvirt that knows nothing of this project (python.sh)
#
# It does what any program does that attaches devices, and says of each step "ok TEXT" or
# "not ok TEXT: WHY" on a line.

import os
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

import libvirt

SCRATCH = os.environ["SCRATCH"]
RECORD = "urn:libvirt-cxl-dcd:capacity:1.0:"

LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
CONFIG = libvirt.VIR_DOMAIN_AFFECT_CONFIG
CURRENT = libvirt.VIR_DOMAIN_AFFECT_CURRENT


def check(text, got, expected):
    if got == expected:
        print("ok", text, flush=True)
    else:
        print(f"not ok {text}: got {got!r}, expected {expected!r}", flush=True)


def refused(text, code, part, function, *arguments):
    try:
        function(*arguments)
    except libvirt.libvirtError as error:
        check(text, (error.get_error_code(), part in str(error)), (code, True))
        if part not in str(error):
            print("#", error)
    else:
        check(text, "done", "refused")


def tag(number):
    return f"{number:08d}-aaaa-4aaa-8aaa-aaaaaaaaaaaa"


def capacity(number, size=2):
    return f"""<cxl-dcd>
  <capacity tag='{tag(number)}'>
    <size unit='MiB'>{size}</size>
  </capacity>
</cxl-dcd>"""


def capacities(domain, flags=0):
    """The tags and states that a domain's XML shows."""
    tree = ElementTree.fromstring(domain.XMLDesc(flags))
    found = tree.findall("./devices/cxl-dcd/capacity")
    return {element.get("tag"): element.get("state") for element in found}


def guest(*command):
    subprocess.run(
        [f"{SCRATCH}/bin/cxl-guest", "--qtest", f"{SCRATCH}/vm.qtest", *command],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=60,
    )


class Events(threading.Thread):
    """libvirt's event loop, and the changes of metadata that it told of."""

    def __init__(self):
        super().__init__(daemon=True)
        libvirt.virEventRegisterDefaultImpl()
        self.seen = []

    def run(self):
        while True:
            libvirt.virEventRunDefaultImpl()

    def changed(self, _connection, domain, kind, uri, _opaque):
        self.seen.append((domain.name(), kind, uri))

    def expect(self, text, number):
        event = ("vm", libvirt.VIR_DOMAIN_METADATA_ELEMENT, RECORD + tag(number))
        end = time.monotonic() + 20
        while event not in self.seen and time.monotonic() < end:
            time.sleep(0.05)
        check(text, event in self.seen, True)
        self.seen.clear()


def definition(connection, xml):
    domain = connection.defineXML(xml)
    check("defineXML", domain.name(), "vm")
    shown = domain.XMLDesc()
    check("XMLDesc shows <cxl-dcd>", shown.count("<cxl-dcd "), 1)
    check("and nothing of what is generated", "cxl-type3" in shown, False)
    again = connection.defineXMLFlags(shown, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
    check("defineXMLFlags of it changes nothing", again.XMLDesc(), shown)
    refused("defineXML of one that cannot be", libvirt.VIR_ERR_XML_ERROR, "does not make 1 region",
            connection.defineXML, shown.replace(">1048576<", ">1000<"))
    check("which leaves what was there", domain.XMLDesc(), shown)
    return domain


def not_running(domain):
    for number, flags in ((1, CONFIG), (2, CURRENT)):
        check(f"attachDeviceFlags {flags}, not running",
              domain.attachDeviceFlags(capacity(number), flags), 0)
        check("is in the definition", tag(number) in capacities(domain), True)
    refused("attachDeviceFlags live, not running", libvirt.VIR_ERR_OPERATION_INVALID, "not running",
            domain.attachDeviceFlags, capacity(3), LIVE)
    refused("attachDevice, not running", libvirt.VIR_ERR_OPERATION_INVALID, "not running",
            domain.attachDevice, capacity(3))
    for number, flags in ((1, CONFIG), (2, CURRENT)):
        check(f"detachDeviceFlags {flags}, not running",
              domain.detachDeviceFlags(capacity(number), flags), 0)
    check("nothing is left", capacities(domain), {})


def running(domain, events):
    # what each call changes: the running domain, the definition
    cases = (
        (10, None, True, False),
        (11, CURRENT, True, False),
        (12, LIVE, True, False),
        (13, CONFIG, False, True),
        (14, LIVE | CONFIG, True, True),
    )
    inactive = libvirt.VIR_DOMAIN_XML_INACTIVE
    for number, flags, live, config in cases:
        if flags is None:
            domain.attachDevice(capacity(number))
        else:
            domain.attachDeviceFlags(capacity(number), flags)
        name = "attachDevice" if flags is None else f"attachDeviceFlags {flags}"
        check(name, (tag(number) in capacities(domain), tag(number) in capacities(domain, inactive)),
              (live, config))
        if live:
            events.expect(f"{name}: a client is told", number)
            check(f"{name}: the guest is offered it", capacities(domain)[tag(number)], "pending")
            refused(f"{name}: once", libvirt.VIR_ERR_OPERATION_INVALID, tag(number),
                    domain.attachDeviceFlags, capacity(number), LIVE)
            guest("accept")
            subprocess.run([f"{SCRATCH}/bin/virsh-cxl", "cxl-dcd-status", "vm"], check=True,
                           stdout=subprocess.DEVNULL)
            events.expect(f"{name}: and when the guest has accepted", number)
            check(f"{name}: it is there", capacities(domain)[tag(number)], "accepted")
    for number, flags, live, config in cases:
        if flags is None:
            domain.detachDevice(capacity(number))
        else:
            domain.detachDeviceFlags(capacity(number), flags)
        name = "detachDevice" if flags is None else f"detachDeviceFlags {flags}"
        check(f"{name}: the definition", tag(number) in capacities(domain, inactive), False)
        if live:
            events.expect(f"{name}: a client is told", number)
            check(name, capacities(domain)[tag(number)], "releasing")
            guest("release")
            subprocess.run([f"{SCRATCH}/bin/virsh-cxl", "cxl-dcd-status", "vm"], check=True,
                           stdout=subprocess.DEVNULL)
            events.expect(f"{name}: and when it is gone", number)
    check("nothing is left", capacities(domain), {})
    refused("detachDeviceFlags of what is not there", libvirt.VIR_ERR_DEVICE_MISSING, tag(10),
            domain.detachDeviceFlags, capacity(10), LIVE)
    refused("updateDeviceFlags", libvirt.VIR_ERR_OPERATION_UNSUPPORTED, "cannot be updated",
            domain.updateDeviceFlags, capacity(10), LIVE)
    refused("attachDeviceFlags of what cannot be", libvirt.VIR_ERR_XML_ERROR, "multiple of 2 MiB",
            domain.attachDeviceFlags, capacity(10, 3), LIVE)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        xml = file.read()
    events = Events()
    connection = libvirt.open()
    libvirt.registerErrorHandler(lambda opaque, error: None, None)
    connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
                                      events.changed, None)
    events.start()

    check("getDomainCapabilities has it",
          "<cxl-dcd supported='yes'>" in connection.getDomainCapabilities(machine="q35"), True)
    domain = definition(connection, xml)
    not_running(domain)
    check("createWithFlags", domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED), 0)
    running(domain, events)
    check("destroy", domain.destroy(), 0)
    check("undefine", domain.undefine(), 0)
    check("nothing is left of it", connection.listAllDomains(), [])

    domain = connection.createXML(xml, libvirt.VIR_DOMAIN_START_PAUSED)
    check("createXML", "<cxl-dcd " in domain.XMLDesc(), True)
    check("destroy of a transient one", domain.destroy(), 0)
    connection.close()


main()
