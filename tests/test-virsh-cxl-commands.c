/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-virsh-cxl-commands.c: the commands of virsh-cxl, run as a whole
 *
 * They run on libvirt's test driver, with virshcxlmock.c in place of the library: no
 * QEMU, daemon or guest is needed. One table shows what the commands do, the other what
 * they refuse; tests/e2e/wrong.sh has the cases that need a daemon.
 */

#include <glib/gstdio.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "virshcxlmock.h"
#include "vsh-cxl-cmd.h"

typedef struct {
    const char *line;  /* the command and its arguments */
    mockState mock;    /* what the library is to do */
    const char *uri;   /* NULL: test:///default */
    bool quiet;        /* --quiet */
    bool readonly;     /* --readonly */
    vshCxlExit status; /* expected exit status */
    int seconds;       /* how long it waited; 0: do not check */
    const char *calls; /* the calls to the library */
    const char *out;   /* standard output */
    const char *err;   /* standard error; "*" matches anything */
} testCommandCase;

#define DEVICE                                                                                     \
    "Device: cxl-dcd0   Model: tagged   Regions: 2   Size: 4 GiB   Accepted: 256 MiB   "           \
    "Free: 3840 MiB\n"
#define TABLE_A " " TAG_A "   0        0 B      256 MiB   accepted   -     memfd\n"
#define TABLE_B " " TAG_B "   1        2 MiB    1 GiB     rejected   0 s   -\n"
#define TABLE_HEAD                                                                                 \
    " Tag                                    Region   Offset   Size      State      For   "        \
    "Source\n"                                                                                     \
    "----------------------------------------------------------------------------------------"     \
    "-----\n"
/* the same without titles, which would make columns wider */
#define ROW_A " " TAG_A "   0   0 B     256 MiB   accepted   -     memfd\n"
#define ROW_B " " TAG_B "   1   2 MiB   1 GiB     rejected   0 s   -\n"
#define CONFIG                                                                                     \
    "Device: cxl-dcd0   Model: tagged   Regions: 2   Size: 4 GiB   Accepted: 0 B   "               \
    "Free: 3840 MiB\n"                                                                             \
    " " TAG_A "   0   0 B   256 MiB   configured   -   memfd\n"
#define LIST_A " test   cxl-dcd0   " TAG_A "   0   0 B     256 MiB   accepted\n"
#define LIST_B " test   cxl-dcd0   " TAG_B "   1   2 MiB   1 GiB     rejected\n"

/* the documents of virsh-cxl(1) */
#define JSON_DEVICE(accepted)                                                                      \
    "{\"alias\":\"cxl-dcd0\",\"model\":\"tagged\",\"regions\":2,\"size\":4294967296,"              \
    "\"accepted\":" accepted ",\"free\":4026531840,\"capacities\":["
#define JSON_A(state)                                                                              \
    "{\"tag\":\"" TAG_A "\",\"state\":\"" state "\",\"region\":0,\"offset\":0,\"size\":268435456," \
    "\"source\":\"memfd\"}"
#define JSON_B                                                                                     \
    "{\"tag\":\"" TAG_B "\",\"state\":\"rejected\",\"since\":9223372036854775807,\"region\":1,"    \
    "\"offset\":2097152,\"size\":1073741824}"
#define JSON_DOMAIN(active, config, refreshed)                                                     \
    "{\"name\":\"test\",\"uuid\":\"" UUID "\",\"active\":" active ",\"config\":" config            \
    ",\"refreshed\":" refreshed ",\"devices\":["
#define XML_DEVICE(i, accepted)                                                                    \
    i "<cxl-dcd model='tagged'>\n" i "  <target>\n" i "    <size unit='b'>4294967296</size>\n" i   \
      "    <regions>2</regions>\n" i "    <current unit='b'>" accepted "</current>\n" i            \
      "    <free unit='b'>4026531840</free>\n" i "  </target>\n"
#define XML_A(i, state)                                                                            \
    i "  <capacity tag='" TAG_A "' region='0' state='" state "'>\n" i                              \
      "    <size unit='b'>268435456</size>\n" i "    <offset unit='b'>0</offset>\n" i              \
      "    <source type='memfd'/>\n" i "  </capacity>\n"
#define XML_B(i)                                                                                   \
    i "  <capacity tag='" TAG_B "' region='1' state='rejected' since='9223372036854775807'>\n" i   \
      "    <size unit='b'>1073741824</size>\n" i "    <offset unit='b'>2097152</offset>\n" i       \
      "  </capacity>\n"
#define XML_END(i) i "  <alias name='cxl-dcd0'/>\n" i "</cxl-dcd>\n"

#define ACCEPTED VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED
#define PENDING VIR_DOMAIN_CXL_DCD_STATE_PENDING
#define RELEASING VIR_DOMAIN_CXL_DCD_STATE_RELEASING
#define REJECTED VIR_DOMAIN_CXL_DCD_STATE_REJECTED

/* the domain that libvirt's test driver runs */
#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

static const testCommandCase testCommandCases[] = {
    /* add: standard output has the tag alone, however the wait ends */
    {.line = "cxl-dcd-add test --size 2M",
     .calls = "add test <cxl-dcd 1;",
     .out = TAG_A "\n",
     .err = "Capacity offered to the guest of domain 'test'\n"},
    {.line = "cxl-dcd-add 1 --size 2M",
     .quiet = true,
     .calls = "add test <cxl-dcd 1;",
     .out = TAG_A "\n"},
    {.line = "cxl-dcd-add --size 2M --domain " UUID,
     .quiet = true,
     .calls = "add test <cxl-dcd 1;",
     .out = TAG_A "\n"},
    {.line = "cxl-dcd-add test --size 2M --live --config",
     .calls = "add test <cxl-dcd 3;",
     .out = TAG_A "\n",
     .err = "Capacity offered to the guest of domain 'test' and added to its definition\n"},
    {.line = "cxl-dcd-add test --size 2M --config",
     .calls = "add test <cxl-dcd 2;",
     .out = TAG_A "\n",
     .err = "Capacity added to the definition of domain 'test': its next start offers it\n"},
    {.line = "cxl-dcd-add test --size 2M --live",
     .quiet = true,
     .calls = "add test <cxl-dcd 1;",
     .out = TAG_A "\n"},
    {.line = "cxl-dcd-add test --size 2M --current",
     .quiet = true,
     .calls = "add test <cxl-dcd 1;",
     .out = TAG_A "\n"},
    {.line = "cxl-dcd-add off --size 2M --current",
     .quiet = true,
     .calls = "add off <cxl-dcd 2;",
     .out = TAG_A "\n"},
    {.line = "cxl-dcd-add off --size 2M",
     .calls = "add off <cxl-dcd 2;",
     .out = TAG_A "\n",
     .err = "Capacity added to the definition of domain 'off': its next start offers it\n"},
    {.line = "cxl-dcd-add test --size 2M",
     .mock.transient = true,
     .quiet = true,
     .calls = "add test <cxl-dcd 1;",
     .out = TAG_A "\n"},
    {.line = "cxl-dcd-add test --size 2M --wait",
     .mock.wait = ACCEPTED,
     .calls = "add test <cxl-dcd 1;wait test " TAG_A ";",
     .out = TAG_A "\n",
     .err = "Capacity accepted by the guest of domain 'test'\n"},
    {.line = "cxl-dcd-add test --size 2M --wait --config --live",
     .mock.wait = ACCEPTED,
     .quiet = true,
     .calls = "add test <cxl-dcd 3;wait test " TAG_A ";",
     .out = TAG_A "\n"},
    {.line = "cxl-dcd-add test --size 2M --wait --timeout 5",
     .mock.wait = REJECTED,
     .status = VSH_CXL_EXIT_ERROR,
     .calls = "add test <cxl-dcd 1;wait test " TAG_A ";",
     .out = TAG_A "\n",
     .err = "error: Failed to add capacity " TAG_A " to domain 'test': the guest refused it "
            "(cxl-dcd-release removes it from the list)\n"},
    {.line = "cxl-dcd-add test --size 2M --wait",
     .mock.wait = VIR_DOMAIN_CXL_DCD_STATE_NONE,
     .status = VSH_CXL_EXIT_ERROR,
     .calls = "add test <cxl-dcd 1;wait test " TAG_A ";",
     .out = TAG_A "\n",
     .err = "error: Failed to add capacity " TAG_A " to domain 'test': it was given back "
            "meanwhile\n"},
    {.line = "cxl-dcd-add test --size 2M --wait --timeout 7",
     .mock.wait = MOCK_WAIT_EVER,
     .mock.recorded = PENDING,
     .status = VSH_CXL_EXIT_TIMEOUT,
     .calls = "add test <cxl-dcd 1;wait test " TAG_A ";list test 0;",
     .out = TAG_A "\n",
     .err = "error: Timed out after 7 s: capacity " TAG_A " of domain 'test' is pending: the "
            "guest has not answered; the offer stands\n"},
    {.line = "cxl-dcd-add test --size 2M --wait --timeout 7",
     .mock.wait = MOCK_WAIT_EVER,
     .mock.recorded = VIR_DOMAIN_CXL_DCD_STATE_ADDING,
     .status = VSH_CXL_EXIT_TIMEOUT,
     .calls = "add test <cxl-dcd 1;wait test " TAG_A ";list test 0;",
     .out = TAG_A "\n",
     .err = "error: Timed out after 7 s: capacity " TAG_A " of domain 'test' is adding: "
            "cxl-dcd-status shows what becomes of it\n"},
    {.line = "cxl-dcd-add test --size 2M --wait",
     .mock.wait = MOCK_WAIT_EVER,
     .mock.recorded = PENDING,
     .mock.interrupt = 3,
     .status = VSH_CXL_EXIT_INTERRUPTED,
     .calls = "add test <cxl-dcd 1;wait test " TAG_A ";list test 0;",
     .out = TAG_A "\n",
     .err = "error: Interrupted: capacity " TAG_A " of domain 'test' is pending: the guest has "
            "not answered; the offer stands\n"},
    {.line = "cxl-dcd-add test --size 2M --wait",
     .mock.wait = MOCK_WAIT_FAILS,
     .status = VSH_CXL_EXIT_ERROR,
     .calls = "add test <cxl-dcd 1;wait test " TAG_A ";",
     .out = TAG_A "\n",
     .err = "error: Failed to wait for the guest of domain 'test' and capacity " TAG_A
            ": monitor is gone\n"},
    {.line = "cxl-dcd-add test --size 2M --print-xml",
     .out = "<cxl-dcd>\n  <capacity>\n    <size unit='b'>2097152</size>\n  </capacity>\n"
            "</cxl-dcd>\n"},
    {.line = "cxl-dcd-add test --size 2M --path '/a  <b> \xc3\xa9' --print-xml",
     .out = "<cxl-dcd>\n  <capacity>\n    <size unit='b'>2097152</size>\n"
            "    <source type='file'>\n      <path>/a  &lt;b&gt; \xc3\xa9</path>\n    </source>\n"
            "  </capacity>\n</cxl-dcd>\n"},
    {.line = "cxl-dcd-add test --size 2M --print-xml --config",
     .readonly = true,
     .out = "<cxl-dcd>\n  <capacity>\n    <size unit='b'>2097152</size>\n  </capacity>\n"
            "</cxl-dcd>\n"},

    /* release */
    {.line = "cxl-dcd-release test --tag " TAG_A,
     .calls = "release test - " TAG_A " 1;list test 0;",
     .out = "Release of capacity " TAG_A " requested\n"},
    /* the guest was not asked: it had given the capacity back, or refused it */
    {.line = "cxl-dcd-release test --tag " TAG_A,
     .mock.gone = TAG_A,
     .calls = "release test - " TAG_A " 1;list test 0;",
     .out = "Capacity " TAG_A " released\n"},
    {.line = "cxl-dcd-release test --tag 5BE13BCE-AE34-4A77-B6C3-16DF975FCF1A",
     .calls = "release test - 5BE13BCE-AE34-4A77-B6C3-16DF975FCF1A 1;list test 0;",
     .out = "Release of capacity 5BE13BCE-AE34-4A77-B6C3-16DF975FCF1A requested\n"},
    {.line = "cxl-dcd-release test --all",
     .mock.gone = TAG_B,
     .calls = "list test 1;release test - " TAG_A " 1;release test - " TAG_B " 1;list test 0;",
     .out = "Release of capacity " TAG_A " requested\nCapacity " TAG_B " released\n"},
    /* the release succeeds, whatever the listing after it returns */
    {.line = "cxl-dcd-release test --tag " TAG_A " --live --config",
     .mock.fail = "look",
     .calls = "release test - " TAG_A " 3;list test 0;",
     .out = "Capacity " TAG_A " removed from the definition\n",
     .err =
         "warning: capacity " TAG_A " was asked back, but its state cannot be read: no answer\n"},
    {.line = "cxl-dcd-release test --tag " TAG_A,
     .mock.fail = TAG_A,
     .mock.code = VIR_ERR_OPERATION_INVALID,
     .status = VSH_CXL_EXIT_ERROR,
     .calls = "release test - " TAG_A " 1;",
     .err = "error: Failed to release capacity " TAG_A " of domain 'test': not answered\n"},
    {.line = "cxl-dcd-release test --tag " TAG_A " --removal-policy tag-based",
     .quiet = true,
     .calls = "release test - " TAG_A " 257;"},
    {.line = "cxl-dcd-release test --tag " TAG_A " --removal-policy prescriptive --force --live",
     .quiet = true,
     .calls = "release test - " TAG_A " 1537;"},
    {.line = "cxl-dcd-release test --tag " TAG_A " --live --config",
     .calls = "release test - " TAG_A " 3;list test 0;",
     .out = "Capacity " TAG_A " removed from the definition\n"
            "Release of capacity " TAG_A " requested\n"},
    {.line = "cxl-dcd-release test --tag " TAG_A " --config",
     .calls = "release test - " TAG_A " 2;",
     .out = "Capacity " TAG_A " removed from the definition\n"},
    {.line = "cxl-dcd-release off --tag " TAG_A,
     .calls = "release off - " TAG_A " 2;",
     .out = "Capacity " TAG_A " removed from the definition\n"},
    {.line = "cxl-dcd-release off --all",
     .calls = "list off 2;release off - " TAG_A " 2;",
     .out = "Capacity " TAG_A " removed from the definition\n"},
    /* each from wherever it is */
    {.line = "cxl-dcd-release test --all --live --config --force",
     .quiet = true,
     .calls =
         "list test 1;list test 2;release test - " TAG_A " 1027;release test - " TAG_B " 1025;"},
    {.line = "cxl-dcd-release test --all --live --config --force",
     .mock.config_tag = TAG_C,
     .quiet = true,
     .calls = "list test 1;list test 2;release test - " TAG_A " 1025;release test - " TAG_B
              " 1025;release test - " TAG_C " 2;"},
    {.line = "cxl-dcd-release test --tag " TAG_A " --device d --wait",
     .calls = "release test d " TAG_A " 1;wait test " TAG_A ";",
     .out = "Capacity " TAG_A " released\n"},
    {.line = "cxl-dcd-release test --tag " TAG_A " --wait",
     .mock.wait = ACCEPTED,
     .status = VSH_CXL_EXIT_ERROR,
     .calls = "release test - " TAG_A " 1;wait test " TAG_A ";",
     .err = "error: Failed to release capacity " TAG_A ": it is accepted, as cxl-dcd-status "
            "shows\n"},
    {.line = "cxl-dcd-release test --tag " TAG_A " --wait --timeout 1",
     .mock.wait = MOCK_WAIT_EVER,
     .mock.recorded = RELEASING,
     .status = VSH_CXL_EXIT_TIMEOUT,
     .calls = "release test - " TAG_A " 1;wait test " TAG_A ";list test 0;",
     .err = "error: Timed out after 1 s: capacity " TAG_A " of domain 'test' is releasing: the "
            "guest has not given it back; the request stands\n"},
    /* one deadline for all: the second is checked once */
    {.line = "cxl-dcd-release test --all --wait --timeout 1",
     .mock.wait = MOCK_WAIT_EVER,
     .mock.recorded = RELEASING,
     .status = VSH_CXL_EXIT_TIMEOUT,
     .seconds = 1,
     .calls = "list test 1;release test - " TAG_A " 1;release test - " TAG_B " 1;wait test " TAG_A
              ";list test 0;wait test " TAG_B ";list test 0;",
     .err = "error: Timed out after 1 s: capacity " TAG_A " of domain 'test' is releasing: the "
            "guest has not given it back; the request stands\nerror: Timed out after 1 s: "
            "capacity " TAG_B " of domain 'test' is rejected: "
            "cxl-dcd-status shows what becomes of it\n"},
    {.line = "cxl-dcd-release test --tag " TAG_A " --wait --timeout 60",
     .mock.wait = MOCK_WAIT_EVER,
     .mock.recorded = RELEASING,
     .mock.interrupt = 1,
     .status = VSH_CXL_EXIT_INTERRUPTED,
     .calls = "release test - " TAG_A " 1;wait test " TAG_A ";list test 0;",
     .err = "error: Interrupted: capacity " TAG_A " of domain 'test' is releasing: the guest has "
            "not given it back; the request stands\n"},
    /* Ctrl-C before all were requested */
    {.line = "cxl-dcd-release test --all --wait",
     .mock.interrupted_by = TAG_A,
     .mock.wait = MOCK_WAIT_EVER,
     .mock.recorded = RELEASING,
     .status = VSH_CXL_EXIT_INTERRUPTED,
     .calls = "list test 1;release test - " TAG_A " 1;wait test " TAG_A
              ";list test 0;wait test " TAG_B ";list test 0;",
     .err = "error: Interrupted: capacity " TAG_A " of domain 'test' is releasing: the guest has "
            "not given it back; the request stands\nerror: Interrupted: capacity " TAG_B
            " of domain 'test' is rejected: cxl-dcd-status "
            "shows what becomes of it\n"},
    {.line = "cxl-dcd-add test --size 2M --wait",
     .mock.interrupted_by = "add",
     .mock.wait = MOCK_WAIT_EVER,
     .mock.recorded = PENDING,
     .status = VSH_CXL_EXIT_INTERRUPTED,
     .calls = "add test <cxl-dcd 1;wait test " TAG_A ";list test 0;",
     .out = TAG_A "\n",
     .err = "error: Interrupted: capacity " TAG_A " of domain 'test' is pending: the guest has "
            "not answered; the offer stands\n"},
    {.line = "cxl-dcd-release test --all",
     .calls = "list test 1;release test - " TAG_A " 1;release test - " TAG_B " 1;list test 0;",
     .out = "Release of capacity " TAG_A " requested\nRelease of capacity " TAG_B " requested\n"},
    /* one failure does not prevent the other from being released and waited for; an error is
     * more serious than a guest that has not answered */
    {.line = "cxl-dcd-release test --all --wait --device cxl-dcd0",
     .mock.fail = TAG_A,
     .mock.code = VIR_ERR_OPERATION_INVALID,
     .status = VSH_CXL_EXIT_ERROR,
     .calls = "list test 1;release test cxl-dcd0 " TAG_A " 1;release test cxl-dcd0 " TAG_B
              " 1;wait test " TAG_B ";",
     .out = "Capacity " TAG_B " released\n",
     .err = "error: Failed to release capacity " TAG_A " of domain 'test': not answered\n"},
    {.line = "cxl-dcd-release test --all --wait --timeout 1",
     .mock.fail = TAG_A,
     .mock.code = VIR_ERR_OPERATION_INVALID,
     .mock.wait = MOCK_WAIT_EVER,
     .status = VSH_CXL_EXIT_ERROR,
     .calls = "list test 1;release test - " TAG_A " 1;release test - " TAG_B " 1;wait test " TAG_B
              ";list test 0;",
     .err = "error: Failed to release capacity " TAG_A " of domain 'test': not answered\n"
            "error: Timed out after 1 s: capacity " TAG_B " of domain 'test' is rejected: "
            "cxl-dcd-status shows what becomes of it\n"},
    /* what the guest gave back after --all listed it is not a failure; with --tag it is */
    {.line = "cxl-dcd-release test --all --wait",
     .mock.fail = TAG_A,
     .mock.code = VIR_ERR_DEVICE_MISSING,
     .calls = "list test 1;release test - " TAG_A " 1;release test - " TAG_B " 1;wait test " TAG_A
              ";wait test " TAG_B ";",
     .out = "Capacity " TAG_A " released\nCapacity " TAG_B " released\n"},
    {.line = "cxl-dcd-release test --all",
     .mock.empty = true,
     .calls = "list test 1;",
     .out = "No capacity to release\n"},

    /* status: QEMU is asked unless the user opts out or it cannot be asked */
    {.line = "cxl-dcd-status test",
     .calls = "list test 1;",
     .out = DEVICE "\n" TABLE_HEAD TABLE_A TABLE_B "\n"},
    {.line = "cxl-dcd-status test --device cxl-dcd0 --refresh",
     .quiet = true,
     .calls = "list test 1;",
     .out = DEVICE ROW_A ROW_B},
    {.line = "cxl-dcd-status test --no-refresh",
     .quiet = true,
     .calls = "list test 0;",
     .out = DEVICE ROW_A ROW_B},
    {.line = "cxl-dcd-status test --format table",
     .quiet = true,
     .readonly = true,
     .calls = "list test 0;",
     .out = DEVICE ROW_A ROW_B},
    {.line = "cxl-dcd-status test",
     .quiet = true,
     .mock.fail = "refresh",
     .calls = "list test 1;list test 0;",
     .out = DEVICE ROW_A ROW_B,
     .err = "warning: the states of domain 'test' could not be brought up to date and are those "
            "recorded: busy\n"},
    {.line = "cxl-dcd-status test --config", .quiet = true, .calls = "list test 2;", .out = CONFIG},
    {.line = "cxl-dcd-status off",
     .quiet = true,
     .readonly = true,
     .calls = "list off 2;",
     .out = CONFIG},
    {.line = "cxl-dcd-status off --no-refresh",
     .mock.empty = true,
     .calls = "list off 2;",
     .out = "Device: cxl-dcd0   Model: tagged   Regions: 2   Size: 4 GiB   Accepted: 0 B   "
            "Free: 4 GiB\n\n"
            " Tag   Region   Offset   Size   State   For   Source\n"
            "------------------------------------------------------\n\n",
     .err = "Domain 'off' is not running: this is its definition\n"},
    {.line = "cxl-dcd-status test --format json",
     .calls = "list test 1;",
     .out = JSON_DOMAIN("true", "false", "true") JSON_DEVICE("268435456")
         JSON_A("accepted") "," JSON_B "]}]}\n"},
    {.line = "cxl-dcd-status test --format json",
     .mock.fail = "refresh",
     .mock.empty = true,
     .calls = "list test 1;list test 0;",
     .out = JSON_DOMAIN(
         "true",
         "false",
         "false") "{\"alias\":\"cxl-dcd0\",\"model\":\"tagged\","
                  "\"regions\":2,\"size\":4294967296,\"accepted\":0,\"free\":4294967296,"
                  "\"capacities\":[]}]}\n",
     .err = "warning: *"},
    {.line = "cxl-dcd-status test --config --format json",
     .calls = "list test 2;",
     .out = JSON_DOMAIN("true", "true", "false") JSON_DEVICE("0") JSON_A("configured") "]}]}\n"},
    {.line = "cxl-dcd-status test --format xml",
     .calls = "list test 1;",
     .out = "<domain name='test' uuid='" UUID
            "' active='yes' config='no' refreshed='yes'>\n" XML_DEVICE("  ", "268435456")
                XML_A("  ", "accepted") XML_B("  ") XML_END("  ") "</domain>\n"},

    /* list */
    {.line = "cxl-dcd-list", .quiet = true, .calls = "list test 0;", .out = LIST_A LIST_B},
    {.line = "cxl-dcd-list --state rejected",
     .quiet = true,
     .calls = "list test 0;",
     .out = " test   cxl-dcd0   " TAG_B "   1   2 MiB   1 GiB   rejected\n"},
    {.line = "cxl-dcd-list --tag 5BE13BCE-AE34-4A77-B6C3-16DF975FCF1A",
     .quiet = true,
     .calls = "list test 0;",
     .out = " test   cxl-dcd0   " TAG_A "   0   0 B   256 MiB   accepted\n"},
    {.line = "cxl-dcd-list --tag " TAG_A " --state rejected",
     .quiet = true,
     .calls = "list test 0;"},
    {.line = "cxl-dcd-list --device cxl-dcd0",
     .quiet = true,
     .calls = "list test 0;",
     .out = LIST_A LIST_B},
    {.line = "cxl-dcd-list --device other --all",
     .quiet = true,
     .calls = "list off 2;list test 0;"},
    {.line = "cxl-dcd-list", .quiet = true, .mock.empty = true, .calls = "list test 0;"},
    {.line = "cxl-dcd-list --all",
     .quiet = true,
     .mock.empty = true,
     .calls = "list off 2;list test 0;",
     .out = " off    cxl-dcd0   -   -   -   -   -\n"
            " test   cxl-dcd0   -   -   -   -   -\n"},
    {.line = "cxl-dcd-list --all --tag " TAG_A,
     .quiet = true,
     .calls = "list off 2;list test 0;",
     .out = " off    cxl-dcd0   " TAG_A "   0   0 B   256 MiB   configured\n"
            " test   cxl-dcd0   " TAG_A "   0   0 B   256 MiB   accepted\n"},
    {.line = "cxl-dcd-list --state configured",
     .quiet = true,
     .calls = "list off 2;",
     .out = " off   cxl-dcd0   " TAG_A "   0   0 B   256 MiB   configured\n"},
    {.line = "cxl-dcd-list",
     .mock.none = true,
     .calls = "list test 0;",
     .out = " Domain   Device   Tag   Region   Offset   Size   State\n"
            "---------------------------------------------------------\n\n"},
    {.line = "cxl-dcd-list --format json",
     .calls = "list test 0;",
     .out = "{\"domains\":[" JSON_DOMAIN("true", "false", "false") JSON_DEVICE("268435456")
         JSON_A("accepted") "," JSON_B "]}]}]}\n"},
    {.line = "cxl-dcd-list --format json --tag " TAG_A,
     .calls = "list test 0;",
     .out = "{\"domains\":[" JSON_DOMAIN("true", "false", "false") JSON_DEVICE("268435456")
         JSON_A("accepted") "]}]}]}\n"},
    {.line = "cxl-dcd-list --format json --state pending",
     .calls = "list test 0;",
     .out = "{\"domains\":[]}\n"},
    {.line = "cxl-dcd-list --format xml --state rejected",
     .calls = "list test 0;",
     .out = "<domains>\n"
            "  <domain name='test' uuid='" UUID
            "' active='yes' config='no' refreshed='no'>\n" XML_DEVICE("    ", "268435456")
                XML_B("    ") XML_END("    ") "  </domain>\n"
                                              "</domains>\n"},
    {.line = "cxl-dcd-list --format xml",
     .mock.none = true,
     .calls = "list test 0;",
     .out = "<domains>\n</domains>\n"},
    /* a domain that has gone in the meantime or has no device is not an error */
    {.line = "cxl-dcd-list",
     .quiet = true,
     .mock.fail = "list",
     .mock.code = VIR_ERR_OPERATION_INVALID,
     .calls = "list test 0;"},
    {.line = "cxl-dcd-list",
     .quiet = true,
     .mock.fail = "list",
     .mock.code = VIR_ERR_NO_DOMAIN,
     .calls = "list test 0;"},
    /* any other failure is */
    {.line = "cxl-dcd-list --format json",
     .mock.fail = "list",
     .mock.code = VIR_ERR_XML_ERROR,
     .status = VSH_CXL_EXIT_ERROR,
     .calls = "list test 0;",
     .err = "error: Failed to get the capacity of domain 'test': no answer\n"},
};

#define ADD_OPTIONS                                                                                \
    "--domain, --size, --tag, --device, --region, --offset, --source, --path, --pagesize, "        \
    "--nodeset, --prealloc, --shared, --private, --file, --config, --live, --current, --wait, "    \
    "--timeout, --print-xml"
#define USAGE VSH_CXL_EXIT_USAGE
#define ERROR VSH_CXL_EXIT_ERROR

/* Wrong invocations. In each case nothing was changed, standard output is empty, and standard
 * error is "error: " and one line that says what is wrong, and what would be right. */
static const testCommandCase testWrongCases[] = {
    /* missing */
    {"cxl-dcd-add", .status = USAGE, .err = "command 'cxl-dcd-add' requires <domain> option"},
    {"cxl-dcd-add --size 2M",
     .status = USAGE,
     .err = "command 'cxl-dcd-add' requires <domain> option"},
    {"cxl-dcd-add test",
     .status = USAGE,
     .err = "command 'cxl-dcd-add' requires --size or --file option"},
    {"cxl-dcd-add test --tag " TAG_A,
     .status = USAGE,
     .err = "command 'cxl-dcd-add' requires --size or --file option"},
    {"cxl-dcd-add test --size",
     .status = USAGE,
     .err = "option --size has no value: expected syntax: --size <number>"},
    {"cxl-dcd-add test --file",
     .status = USAGE,
     .err = "option --file has no value: expected syntax: --file <string>"},
    {"cxl-dcd-add test --size=",
     .status = USAGE,
     .err = "Failed to get option 'size': Option argument is empty: expected --size <number>"},
    {"cxl-dcd-add '' --size 2M",
     .status = USAGE,
     .err = "Failed to get option 'domain': Option argument is empty: expected --domain <string>"},
    {"cxl-dcd-release",
     .status = USAGE,
     .err = "command 'cxl-dcd-release' requires <domain> option"},
    {"cxl-dcd-release test",
     .status = USAGE,
     .err = "command 'cxl-dcd-release' requires --tag or --all option"},
    {"cxl-dcd-release test --wait",
     .status = USAGE,
     .err = "command 'cxl-dcd-release' requires --tag or --all option"},
    {"cxl-dcd-release test --tag ''",
     .status = USAGE,
     .err = "Failed to get option 'tag': Option argument is empty: expected --tag <string>"},
    {"cxl-dcd-status", .status = USAGE, .err = "command 'cxl-dcd-status' requires <domain> option"},
    {"cxl-dcd-list --format",
     .status = USAGE,
     .err = "option --format has no value: expected syntax: --format <string>"},
    {"cxl-dcd-list --device=",
     .status = USAGE,
     .err = "Failed to get option 'device': Option argument is empty: expected --device <string>"},

    /* unknown */
    {"cxl-dcd-add test --sise 2M",
     .status = USAGE,
     .err = "command 'cxl-dcd-add' doesn't support option --sise: it takes " ADD_OPTIONS},
    {"cxl-dcd-add test --size 2M --nodemask 0",
     .status = USAGE,
     .err = "command 'cxl-dcd-add' doesn't support option --nodemask: it takes " ADD_OPTIONS},
    {"cxl-dcd-add test 2M",
     .status = USAGE,
     .err = "unexpected data '2M': command 'cxl-dcd-add' takes " ADD_OPTIONS},
    {"cxl-dcd-release test --forced",
     .status = USAGE,
     .err = "command 'cxl-dcd-release' doesn't support option --forced: it takes --domain, --tag, "
            "--all, --device, --removal-policy, --force, --config, --live, --current, --wait, "
            "--timeout"},
    {"cxl-dcd-status test other",
     .status = USAGE,
     .err = "unexpected data 'other': command 'cxl-dcd-status' takes --domain, --device, "
            "--refresh, --no-refresh, --config, --format"},
    {"cxl-dcd-list test",
     .status = USAGE,
     .err = "unexpected data 'test': command 'cxl-dcd-list' takes --all, --state, --tag, --device, "
            "--format"},
    {"cxl-dcd-list --domain test",
     .status = USAGE,
     .err = "command 'cxl-dcd-list' doesn't support option --domain: it takes --all, --state, "
            "--tag, --device, --format"},

    /* contradictory */
    {"cxl-dcd-add test --size 2M --size 4M",
     .status = USAGE,
     .err = "option --size already seen: give it once"},
    {"cxl-dcd-add test --domain test --size 2M",
     .status = USAGE,
     .err = "option --domain already seen: give it once"},
    {"cxl-dcd-add test --size 2M --wait=yes",
     .status = USAGE,
     .err = "invalid '=' after option --wait: it takes no value"},
    {"cxl-dcd-add test --file x --tag " TAG_A,
     .status = USAGE,
     .err = "Options --file and --tag are mutually exclusive: leave one out"},
    {"cxl-dcd-add test --file x --nodeset 0",
     .status = USAGE,
     .err = "Options --file and --nodeset are mutually exclusive: leave one out"},
    {"cxl-dcd-add test --file x --print-xml",
     .status = USAGE,
     .err = "Options --file and --print-xml are mutually exclusive: leave one out"},
    {"cxl-dcd-add test --size 2M --shared --private",
     .status = USAGE,
     .err = "Options --shared and --private are mutually exclusive: leave one out"},
    {"cxl-dcd-add test --size 2M --print-xml --wait",
     .status = USAGE,
     .err = "Options --print-xml and --wait are mutually exclusive: leave one out"},
    {"cxl-dcd-add test --size 2M --current --live",
     .status = USAGE,
     .err = "Options --current and --live are mutually exclusive: leave one out"},
    {"cxl-dcd-add test --size 2M --current --config",
     .status = USAGE,
     .err = "Options --current and --config are mutually exclusive: leave one out"},
    {"cxl-dcd-add test --size 2M --config --wait",
     .status = USAGE,
     .err = "Option --wait needs a running guest, and --config is about the definition alone: "
            "leave one out, or add --live"},
    {"cxl-dcd-add test --size 2M --timeout 1",
     .status = USAGE,
     .err = "Option --wait is required by option --timeout"},
    {"cxl-dcd-release test --all --tag " TAG_A,
     .status = USAGE,
     .err = "Options --tag and --all are mutually exclusive: leave one out"},
    {"cxl-dcd-release test --all --current --config",
     .status = USAGE,
     .err = "Options --current and --config are mutually exclusive: leave one out"},
    {"cxl-dcd-release test --all --config --force",
     .status = USAGE,
     .err = "Option --force needs a running guest, and --config is about the definition alone: "
            "leave one out, or add --live"},
    {"cxl-dcd-release test --all --config --removal-policy tag-based",
     .status = USAGE,
     .err = "Option --removal-policy needs a running guest, and --config is about the definition "
            "alone: leave one out, or add --live"},
    {"cxl-dcd-release test --all --timeout 1",
     .status = USAGE,
     .err = "Option --wait is required by option --timeout"},
    {"cxl-dcd-status test --refresh --no-refresh",
     .status = USAGE,
     .err = "Options --refresh and --no-refresh are mutually exclusive: leave one out"},
    {"cxl-dcd-status test --refresh --config",
     .status = USAGE,
     .err = "Options --refresh and --config are mutually exclusive: leave one out"},

    /* malformed or out of range */
    {"cxl-dcd-add test --size big",
     .status = USAGE,
     .err = "Scaled numeric value 'big' for <size> option is malformed or out of range: a size "
            "begins with a digit"},
    {"cxl-dcd-add test --size -1",
     .status = USAGE,
     .err = "Scaled numeric value '-1' for <size> option is malformed or out of range: a size "
            "begins with a digit"},
    {"cxl-dcd-add test --size 1.5G",
     .status = USAGE,
     .err = "Scaled numeric value '1.5G' for <size> option is malformed or out of range: unknown "
            "suffix '.5G' (known are b, K, KiB, KB, and so on with M, G, T, P, E)"},
    {"cxl-dcd-add test --size 16E",
     .status = USAGE,
     .err = "Scaled numeric value '16E' for <size> option is malformed or out of range: value too "
            "large"},
    {"cxl-dcd-add test --size 2M --offset near",
     .status = USAGE,
     .err = "Scaled numeric value 'near' for <offset> option is malformed or out of range: a size "
            "begins with a digit"},
    {"cxl-dcd-add test --size 2M --pagesize 2Mi",
     .status = USAGE,
     .err = "Scaled numeric value '2Mi' for <pagesize> option is malformed or out of range: "
            "unknown suffix 'Mi' (known are b, K, KiB, KB, and so on with M, G, T, P, E)"},
    {"cxl-dcd-add test --size 2M --region first",
     .status = USAGE,
     .err = "Numeric value 'first' for <region> option is malformed or out of range: expected a "
            "number from 0 to 7"},
    {"cxl-dcd-add test --size 2M --region -1",
     .status = USAGE,
     .err = "Numeric value '-1' for <region> option is malformed or out of range: expected a "
            "number from 0 to 7"},
    {"cxl-dcd-add test --size 2M --source disk",
     .status = USAGE,
     .err = "Invalid value 'disk' for <source> option: expected one of ram, memfd, file"},
    {"cxl-dcd-add test --size 2M --wait --timeout 0",
     .status = USAGE,
     .err = "Numeric value '0' for <timeout> option is malformed or out of range: expected a "
            "number from 1 to 4294967295"},
    {"cxl-dcd-release test --all --wait --timeout soon",
     .status = USAGE,
     .err = "Numeric value 'soon' for <timeout> option is malformed or out of range: expected a "
            "number from 1 to 4294967295"},
    {"cxl-dcd-release test --all --removal-policy soft",
     .status = USAGE,
     .err = "Invalid value 'soft' for <removal-policy> option: expected one of tag-based, "
            "prescriptive"},
    {"cxl-dcd-status test --format yaml",
     .status = USAGE,
     .err = "Invalid value 'yaml' for <format> option: expected one of table, json, xml"},
    {"cxl-dcd-list --format JSON",
     .status = USAGE,
     .err = "Invalid value 'JSON' for <format> option: expected one of table, json, xml"},
    {"cxl-dcd-list --state here",
     .status = USAGE,
     .err = "Invalid value 'here' for <state> option: expected one of configured, adding, "
            "pending, accepted, rejected, releasing"},
    {"cxl-dcd-list --tag 5be13bce",
     .status = USAGE,
     .err = "Invalid value '5be13bce' for <tag> option: expected a UUID, 32 hexadecimal digits in "
            "groups of 8-4-4-4-12, not all of them 0"},
    {"cxl-dcd-list --state 'a\nb'",
     .status = USAGE,
     .err = "Invalid value 'a b' for <state> option: expected one of configured, adding, "
            "pending, accepted, rejected, releasing"},

    {"cxl-dcd-add test --size 0",
     .status = USAGE,
     .err = "Scaled numeric value '0' for <size> option is malformed or out of range: expected a "
            "multiple of 2 MiB, and not 0"},
    {"cxl-dcd-add test --size 3M",
     .status = USAGE,
     .err = "Scaled numeric value '3M' for <size> option is malformed or out of range: expected a "
            "multiple of 2 MiB, and not 0"},
    {"cxl-dcd-add test --size 2M --offset 1",
     .status = USAGE,
     .err = "Scaled numeric value '1' for <offset> option is malformed or out of range: expected a "
            "multiple of 2 MiB"},
    {"cxl-dcd-add test --size 2M --region 8",
     .status = USAGE,
     .err = "Numeric value '8' for <region> option is malformed or out of range: expected a number "
            "from 0 to 7"},
    {"cxl-dcd-add test --size 2M --tag x",
     .status = USAGE,
     .err = "Invalid value 'x' for <tag> option: expected a UUID, 32 hexadecimal digits in groups "
            "of 8-4-4-4-12, not all of them 0"},
    {"cxl-dcd-release test --tag nonsense",
     .status = USAGE,
     .err = "Invalid value 'nonsense' for <tag> option: expected a UUID, 32 hexadecimal digits in "
            "groups of 8-4-4-4-12, not all of them 0"},
    {"cxl-dcd-add test --size 2M --tag 00000000-0000-0000-0000-000000000000",
     .status = USAGE,
     .err = "Invalid value '00000000-0000-0000-0000-000000000000' for <tag> option: expected a "
            "UUID, 32 hexadecimal digits in groups of 8-4-4-4-12, not all of them 0"},
    {"cxl-dcd-release test --tag 00000000-0000-0000-0000-000000000000",
     .status = USAGE,
     .err = "Invalid value '00000000-0000-0000-0000-000000000000' for <tag> option: expected a "
            "UUID, 32 hexadecimal digits in groups of 8-4-4-4-12, not all of them 0"},
    {"cxl-dcd-list --tag 00000000-0000-0000-0000-000000000000",
     .status = USAGE,
     .err = "Invalid value '00000000-0000-0000-0000-000000000000' for <tag> option: expected a "
            "UUID, 32 hexadecimal digits in groups of 8-4-4-4-12, not all of them 0"},
    {"cxl-dcd-add test --size 2M --device 'a b'",
     .status = USAGE,
     .err = "Invalid value 'a b' for <device> option: expected an alias: a letter, then letters, "
            "digits, '-', '.', '_'"},
    {"cxl-dcd-add test --size 2M --nodeset all",
     .status = USAGE,
     .err = "Invalid value 'all' for <nodeset> option: expected host NUMA nodes, as in 0-1,3, from "
            "0 to 127"},
    {"cxl-dcd-add test --size 2M --nodeset 128",
     .status = USAGE,
     .err = "Invalid value '128' for <nodeset> option: expected host NUMA nodes, as in 0-1,3, from "
            "0 to 127"},
    {"cxl-dcd-add test --size 2M --path x",
     .status = USAGE,
     .err =
         "Invalid value 'x' for <path> option: expected an absolute path, which begins with '/'"},
    {"cxl-dcd-add test --size 2M --source file",
     .status = USAGE,
     .err = "Option --path is required by option --source file"},
    {"cxl-dcd-add test --size 2M --source memfd --path /x",
     .status = USAGE,
     .err = "Option --path goes with --source file, not memfd: leave one out"},
    {"cxl-dcd-add test --size 2M --source ram --pagesize 2M",
     .status = USAGE,
     .err = "Option --pagesize goes with --source memfd, not ram: leave one out"},
    {"cxl-dcd-add test --size 2M --path /x --pagesize 2M",
     .status = USAGE,
     .err = "Option --pagesize goes with --source memfd, not file: leave one out"},
    {"cxl-dcd-add test --size 2M --pagesize 3000",
     .status = USAGE,
     .err = "Invalid value '3000' for <pagesize> option: expected a power of two, at least 4096, "
            "of which --size 2M is a multiple"},
    {"cxl-dcd-add test --size 2M --pagesize 0",
     .status = USAGE,
     .err = "Invalid value '0' for <pagesize> option: expected a power of two, at least 4096, of "
            "which --size 2M is a multiple"},
    {"cxl-dcd-add test --size 2M --pagesize 1G",
     .status = USAGE,
     .err = "Invalid value '1G' for <pagesize> option: expected a power of two, at least 4096, of "
            "which --size 2M is a multiple"},
    {"cxl-dcd-add test --size 2M --pagesize 3000 --print-xml",
     .status = USAGE,
     .err = "Invalid value '3000' for <pagesize> option: expected a power of two, at least 4096, "
            "of which --size 2M is a multiple"},
    {"cxl-dcd-event --timeout 0",
     .status = USAGE,
     .err = "Numeric value '0' for <timeout> option is malformed or out of range: expected a "
            "number from 1 to 4294967295"},

    /* what the XML of a capacity cannot represent */
    {"cxl-dcd-add test --size 2M --path ' /a b'",
     .status = USAGE,
     .err = "Invalid value ' /a b' for <path> option: it begins or ends with a space, which the "
            "capacity's XML does not keep: expected none there"},
    {"cxl-dcd-add test --size 2M --path '/a b '",
     .status = USAGE,
     .err = "Invalid value '/a b ' for <path> option: it begins or ends with a space, which the "
            "capacity's XML does not keep: expected none there"},
    {"cxl-dcd-add test --size 2M --path ' ' --print-xml",
     .status = USAGE,
     .err = "Invalid value ' ' for <path> option: it begins or ends with a space, which the "
            "capacity's XML does not keep: expected none there"},
    {"cxl-dcd-add test --size 2M --path '/a\nb'",
     .status = USAGE,
     .err = "Invalid value '/a b' for <path> option: it has a control character, which the "
            "capacity's XML cannot hold: expected none"},
    {"cxl-dcd-add test --size 2M --path '/a\n'",
     .status = USAGE,
     .err = "Invalid value '/a ' for <path> option: it has a control character, which the "
            "capacity's XML cannot hold: expected none"},
    {"cxl-dcd-add test --size 2M --path '/a\x01'",
     .status = USAGE,
     .err = "Invalid value '/a\\x01' for <path> option: it has a control character, which the "
            "capacity's XML cannot hold: expected none"},
    {"cxl-dcd-add test --size 2M --path '/a\x7f'",
     .status = USAGE,
     .err = "Invalid value '/a\\x7f' for <path> option: it has a control character, which the "
            "capacity's XML cannot hold: expected none"},
    {"cxl-dcd-add test --size 2M --path '/a\xc2\x85'",
     .status = USAGE,
     .err = "Invalid value '/a*' for <path> option: it has a control character, which the "
            "capacity's XML cannot hold: expected none"},
    {"cxl-dcd-add test --size 2M --path '/a\xef\xbf\xbf'",
     .status = USAGE,
     .err = "Invalid value '/a*' for <path> option: it has a control character, which the "
            "capacity's XML cannot hold: expected none"},
    {"cxl-dcd-add test --size 2M --path '/a\xff'",
     .status = USAGE,
     .err = "Invalid value '/a\\xff' for <path> option: it is not UTF-8, which the capacity's XML "
            "is in: expected UTF-8"},
    {"cxl-dcd-add test --size 2M --tag '\x01'",
     .status = USAGE,
     .err = "Invalid value '\\x01' for <tag> option: expected a UUID, 32 hexadecimal digits in "
            "groups of 8-4-4-4-12, not all of them 0"},
    {"cxl-dcd-add test --size 2M --device '\xff'",
     .status = USAGE,
     .err = "Invalid value '\\xff' for <device> option: expected an alias: a letter, then letters, "
            "digits, '-', '.', '_'"},

    /* read-only */
    {"cxl-dcd-add test --size 2M",
     .readonly = true,
     .status = USAGE,
     .err = "A read-only connection cannot add capacity: leave out --readonly"},
    {"cxl-dcd-release test --all",
     .readonly = true,
     .status = USAGE,
     .err = "A read-only connection cannot release capacity: leave out --readonly"},
    {"cxl-dcd-status test --refresh",
     .readonly = true,
     .status = USAGE,
     .err = "A read-only connection cannot ask QEMU: leave out --readonly"},

    /* a file, a domain, a device that does not exist */
    {"cxl-dcd-add test --file /nonexistent",
     .status = ERROR,
     .err = "cannot read the XML of the capacity, which --file names: Failed to open file "
            "*/nonexistent*: No such file or directory"},
    {"cxl-dcd-add nosuch --size 2M",
     .status = ERROR,
     .err = "failed to get domain 'nosuch' ('list --all' shows the domains that there are): "
            "Domain not found"},
    {"cxl-dcd-release 4711 --all",
     .status = ERROR,
     .err = "failed to get domain '4711' ('list --all' shows the domains that there are): "
            "Domain not found"},
    {"cxl-dcd-status " TAG_A,
     .status = ERROR,
     .err = "failed to get domain '" TAG_A "' ('list --all' shows the domains that there are): "
            "Domain not found"},
    {"cxl-dcd-release test --all --device other",
     .status = ERROR,
     .calls = "list test 1;",
     .err = "domain 'test' has no CXL dynamic capacity device 'other': it has 'cxl-dcd0'"},
    {"cxl-dcd-status test --device other",
     .status = ERROR,
     .calls = "list test 1;",
     .err = "domain 'test' has no CXL dynamic capacity device 'other': it has 'cxl-dcd0'"},
    {"cxl-dcd-status test --device other --format json",
     .status = ERROR,
     .calls = "list test 1;",
     .err = "domain 'test' has no CXL dynamic capacity device 'other': it has 'cxl-dcd0'"},
    {"cxl-dcd-status test",
     .mock.none = true,
     .status = ERROR,
     .calls = "list test 1;",
     .err = "domain 'test' has no CXL dynamic capacity device: its definition needs a <cxl-dcd> "
            "under <devices>"},

    /* wrong state */
    {"cxl-dcd-add off --size 2M --live",
     .status = ERROR,
     .err = "domain 'off' is not running, as --live needs it: start it, or use --config to change "
            "its definition"},
    {"cxl-dcd-add off --size 2M --live --config",
     .status = ERROR,
     .err = "domain 'off' is not running, as --live needs it: start it, or use --config to change "
            "its definition"},
    {"cxl-dcd-add off --size 2M --wait",
     .status = ERROR,
     .err = "domain 'off' is not running, as --wait needs it: start it, or leave out --wait"},
    {"cxl-dcd-add test --size 2M --config",
     .mock.transient = true,
     .status = ERROR,
     .err = "domain 'test' is transient and has no definition beside what runs: leave out "
            "--config"},
    {"cxl-dcd-release off --all --live",
     .status = ERROR,
     .err = "domain 'off' is not running, as --live needs it: start it, or use --config to change "
            "its definition"},
    {"cxl-dcd-release off --all --force",
     .status = ERROR,
     .err = "domain 'off' is not running, as --force needs it: start it, or leave out --force"},
    {"cxl-dcd-release off --all --removal-policy tag-based",
     .status = ERROR,
     .err = "domain 'off' is not running, as --removal-policy needs it: start it, or leave out "
            "--removal-policy"},
    {"cxl-dcd-release test --all --config",
     .mock.transient = true,
     .status = ERROR,
     .err = "domain 'test' is transient and has no definition beside what runs: leave out "
            "--config"},
    {"cxl-dcd-status test --config",
     .mock.transient = true,
     .status = ERROR,
     .err = "domain 'test' is transient and has no definition beside what runs: leave out "
            "--config"},
    {"cxl-dcd-status off --refresh",
     .status = ERROR,
     .err = "domain 'off' is not running, and has no QEMU to ask: start it, or leave out "
            "--refresh"},

    /* what the library refuses: the command's words come before the library's */
    {"cxl-dcd-add test --size 2M",
     .mock.fail = "add",
     .status = ERROR,
     .calls = "add test <cxl-dcd 1;",
     .err = "Failed to add capacity to domain 'test': no room"},
    {"cxl-dcd-release test --tag " TAG_A,
     .mock.fail = TAG_A,
     .mock.code = VIR_ERR_DEVICE_MISSING,
     .status = ERROR,
     .calls = "release test - " TAG_A " 1;",
     .err = "Failed to release capacity " TAG_A " of domain 'test' (cxl-dcd-status shows what it "
            "has): not answered"},
    {"cxl-dcd-release test --tag " TAG_A " --force",
     .mock.fail = TAG_A,
     .mock.code = VIR_ERR_OPERATION_FAILED,
     .status = ERROR,
     .calls = "release test - " TAG_A " 1025;",
     .err = "Failed to release capacity " TAG_A " of domain 'test' by force (without --force the "
            "guest is asked for it): not answered"},
    {"cxl-dcd-release test --all",
     .mock.fail = "list",
     .mock.code = VIR_ERR_OPERATION_FAILED,
     .status = ERROR,
     .calls = "list test 1;",
     .err = "Failed to list the capacity of domain 'test': no answer"},
    {"cxl-dcd-status test",
     .mock.fail = "list",
     .mock.code = VIR_ERR_OPERATION_FAILED,
     .status = ERROR,
     .calls = "list test 1;list test 0;",
     .err = "Failed to get the capacity of domain 'test': no answer"},
    {"cxl-dcd-status test --refresh",
     .mock.fail = "refresh",
     .status = ERROR,
     .calls = "list test 1;",
     .err = "Failed to get the capacity of domain 'test': busy"},

    /* wrong URI, no daemon */
    {"cxl-dcd-list",
     .uri = "nosuch:///system",
     .status = ERROR,
     .err = "failed to connect to nosuch:///system (it takes a URI such as qemu:///system, a "
            "libvirtd or virtqemud that runs there, and access to it): *"},
    {"cxl-dcd-list",
     .mock.type = "LXC",
     .status = ERROR,
     .err =
         "CXL dynamic capacity needs a connection to QEMU, such as --connect qemu:///system, not "
         "to LXC"},
    {"cxl-dcd-status test",
     .uri = "test:///nonexistent.xml",
     .status = ERROR,
     .err = "failed to connect to test:///nonexistent.xml (it takes a URI such as "
            "qemu:///system, a libvirtd or virtqemud that runs there, and access to it): *"},
    {"cxl-dcd-add test --size 2M",
     .uri = "qemu+unix:///system?socket=/nonexistent/libvirt-sock",
     .status = ERROR,
     .err = "failed to connect to qemu+unix:///system?socket=/nonexistent/libvirt-sock (it takes "
            "a URI such as qemu:///system, a libvirtd or virtqemud that runs there, and access "
            "to it): *"},
};

/* Run virsh-cxl once, as its main() does. Returns the exit status. */
static vshCxlExit
testRun(vshCxlControl *ctl, const char *line)
{
    g_auto(GStrv) words = NULL;
    g_autoptr(vshCxlArgs) args = NULL;
    g_autoptr(GError) error = NULL;
    const vshCxlCmdDef *cmd;

    g_assert_true(g_shell_parse_argv(line, NULL, &words, NULL));
    cmd = vshCxlCmdFind(words[0]);
    g_assert_nonnull(cmd);
    if (!(args = vshCxlArgsParse(cmd, words + 1, &error))) {
        vshCxlUsageError(ctl, "%s", error->message);
        return ctl->status;
    }
    return cmd->handler(ctl, args) < 0 ? ctl->status : VSH_CXL_EXIT_DONE;
}

static void
testAssertText(const char *text, const char *expected)
{
    if (!expected)
        expected = "";
    if (!strchr(expected, '*'))
        g_assert_cmpstr(text, ==, expected);
    else if (!g_pattern_match_simple(expected, text))
        g_error("got: %s\nexpected: %s", text, expected);
}

static void
testCommandWith(const testCommandCase *one, const char *expected)
{
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;
    size_t size;
    vshCxlControl ctl = {
        .uri = one->uri ? one->uri : "test:///default",
        .quiet = one->quiet,
        .readonly = one->readonly,
        .out = open_memstream(&out, &size),
        .err = open_memstream(&err, &size),
    };
    struct sigaction before;
    struct sigaction after;

    mock = one->mock;
    mock.calls = g_string_new(NULL);
    sigaction(SIGINT, NULL, &before);

    g_assert_cmpint(testRun(&ctl, one->line), ==, one->status);
    fclose(ctl.out);
    fclose(ctl.err);
    g_assert_cmpstr(mock.calls->str, ==, one->calls ? one->calls : "");
    g_assert_cmpstr(out, ==, one->out ? one->out : "");
    testAssertText(err, expected);
    if (one->seconds)
        g_assert_cmpint(mock.clock, ==, one->seconds * G_USEC_PER_SEC);

    /* a wait restores the handler of Ctrl-C, unless Ctrl-C came */
    sigaction(SIGINT, NULL, &after);
    g_assert_true(after.sa_handler == before.sa_handler);
    g_string_free(mock.calls, TRUE);
    vshCxlDisconnect(&ctl);
}

static void
testCommand(const void *data)
{
    const testCommandCase *one = data;

    testCommandWith(one, one->err);
}

static void
testWrong(const void *data)
{
    const testCommandCase *one = data;
    g_autofree char *expected = g_strdup_printf("error: %s\n", one->err);

    testCommandWith(one, expected);
}

/* the content of the file goes to the library unchanged */
static void
testCommandFile(void)
{
    g_autofree char *file = NULL;
    g_autofree char *line = NULL;
    int fd = g_file_open_tmp("test-virsh-cxl-XXXXXX", &file, NULL);
    testCommandCase one = {
        .quiet = true,
        .calls = "add test <my-file 1;",
        .out = TAG_A "\n",
    };

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(file, "<my-file/>", -1, NULL));
    one.line = line = g_strdup_printf("cxl-dcd-add test --file %s", file);
    testCommand(&one);
    g_unlink(file);
}

static void
testErrorIgnore(void *data G_GNUC_UNUSED, virErrorPtr error G_GNUC_UNUSED)
{
}

/* The test driver's default domains exist as long as a client is connected to them: "test",
 * which runs, and from here on "off", which does not. */
static virConnectPtr
testOpen(void)
{
    virConnectPtr conn = virConnectOpen("test:///default");
    virDomainPtr domain;

    g_assert_nonnull(conn);
    domain = virDomainDefineXML(conn,
                                "<domain type='test'><name>off</name><memory>1024</memory>"
                                "<os><type>hvm</type></os></domain>");
    g_assert_nonnull(domain);
    virDomainFree(domain);
    return conn;
}

static void
testAdd(const char *folder, const testCommandCase *cases, size_t ncases, GTestDataFunc run)
{
    size_t i;

    for (i = 0; i < ncases; i++) {
        g_autofree char *line = g_strdelimit(g_strdup(cases[i].line), "/\n", '_');
        g_autofree char *printable = g_strescape(line, "\"\\");
        g_autofree char *name = g_strdup_printf("/virsh-cxl/%s/%02zu %s", folder, i, printable);

        g_test_add_data_func(name, &cases[i], run);
    }
}

int
main(int argc, char **argv)
{
    virConnectPtr conn;
    int ret;

    g_test_init(&argc, &argv, NULL);
    virSetErrorFunc(NULL, testErrorIgnore);
    conn = testOpen();

    g_test_add_func("/virsh-cxl/add-file", testCommandFile);
    testAdd("command", testCommandCases, G_N_ELEMENTS(testCommandCases), testCommand);
    testAdd("wrong", testWrongCases, G_N_ELEMENTS(testWrongCases), testWrong);
    ret = g_test_run();
    virConnectClose(conn);
    return ret;
}
