# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# functions.sh: what the end-to-end tests share
#
# A test is a bash script that sources this file first, and whose last command is "finish". Its
# output is TAP. Everything that it uses is real: a libvirtd, the installed virsh, QEMU; only
# the guest is played over qtest (cxl-guest).
#
#     test, as root or not
#       `- timeout --- the same test, as an unprivileged user, in a scratch folder
#                        |- libvirtd     a session daemon, with or without the module
#                        |    |- virtlogd
#                        |    `- QEMU    one for each domain, its processors never run
#                        `- virsh, virsh-cxl, cxl-guest
#
# A libvirtd that runs as root is always the system's, so root creates a user for the tests.
# Home, configuration, sockets and what was built are in the scratch folder; every process has
# the folder's name in its environment, by which it is found and ended when the test ends,
# however it ends.
#
# If a test defines prepare_scratch before it sources this file, that function is called with
# the scratch folder's name, as the user who runs the test and with that user's environment.
#
# ARRANGEMENTS limits most tests to those that it names: main-path, byte-identity, commands,
# tutorial, killed-client and the smaller ones run in all of theirs.
# E2E_KEEP_LOGS names a folder to keep each test's logs in, DAEMON_PRELOAD a further library for
# the daemon to load, DAEMON_ENVIRONMENT words NAME=VALUE for its environment.
#
# The module works in three arrangements, and most tests run in each:
#
#     daemon    in libvirtd, and the client is the stock virsh
#     client    in the client, and libvirtd is the stock one: the client is virsh-cxl
#     both      in both
#
# Nothing relies on fixed delays: whatever takes time is polled until it is done or its deadline
# is over (WAIT seconds), and every command has a deadline.

set -u

M=1048576
export LC_ALL=C

# Timeouts in seconds: for what is waited for, for one command, for what the tracker notices,
# for a whole test.
WAIT=20
COMMAND_DEADLINE=60
# The tracker's longest pause while a guest does not answer, plus the time that the command
# needs to find the answer.
PROMPT=2.5
: "${E2E_DEADLINE:=270}"

: "${DAEMON:=libvirtd}"
: "${E2E_FILES:=}"
: "${QEMU:=qemu-system-x86_64}"
E2E_USER=cxl-dcd-test

# ------------------------------------------------------- becoming the user

# unavailable WHY: skips the test, which cannot run here
unavailable()
{
    if [ "${CI-}" = true ]; then
        echo "Bail out! $1, and CI must not skip"
        exit 1
    fi
    echo "1..0 # SKIP $1"
    exit 0
}

# scratch_processes SCRATCH: all processes that have it in their environment, except this shell
# and the commands it runs to find them
scratch_processes()
{
    local self=$BASHPID
    local -a environments=(/proc/[0-9]*/environ)

    [ ! -d "$1" ] || grep -lsF "$1/" "${environments[@]}" | tr -dc '0-9\n' |
        grep -vx -e $$ -e "$self"
}

# end_processes SCRATCH: terminates them, waits, then kills them
end_processes()
{
    local pid end=$((SECONDS + 5))

    for pid in $(scratch_processes "$1"); do
        kill "$pid" 2>/dev/null
    done
    while [ -n "$(scratch_processes "$1")" ] && [ "$SECONDS" -lt "$end" ]; do
        sleep 0.1
    done
    for pid in $(scratch_processes "$1"); do
        kill -KILL "$pid" 2>/dev/null
    done
}

# Add the tests' user, one test at a time: with two concurrent useradd for the same name, the
# later one removes the group that the earlier one's test is using.
add_user()
{
    local lock

    exec {lock}</etc || exit 1
    flock "$lock" || exit 1
    id "$E2E_USER" >/dev/null 2>&1 ||
        useradd --system --no-create-home --shell /usr/sbin/nologin "$E2E_USER" ||
        unavailable "the user $E2E_USER cannot be added"
    exec {lock}<&-
}

# leave_scratch SCRIPT SCRATCH: ends what is running, and keeps the logs if asked to
leave_scratch()
{
    local kept=${E2E_KEEP_LOGS-}

    end_processes "$2"
    if [ -n "$kept" ]; then
        mkdir -p "$kept"
        rm -rf "${kept:?}/$(basename "$1" .sh)"
        cp -r "$2/log" "$kept/$(basename "$1" .sh)"
    fi
    rm -rf "$2"
}

# Run the test as the user, in a scratch folder of its own; does not return.
enter_scratch()
{
    local script=$1 scratch program status
    local -a become=() files=()

    for program in "$DAEMON" "$QEMU" virsh xmllint setpriv timeout; do
        command -v "$program" >/dev/null || unavailable "$program is not there"
    done
    for program in VIRSH_CXL DRIVER_MODULE CXL_TAGGED CXL_GUEST; do
        [ -r "${!program-}" ] || unavailable "$program does not name a file"
    done
    if [ "$(id -u)" -eq 0 ]; then
        add_user
        become=(setpriv --reuid "$E2E_USER" --regid "$(id -g "$E2E_USER")" --clear-groups)
    fi

    # a short name: socket names contain it
    scratch=$(mktemp -d /tmp/cxl-e2e.XXXXXX) || exit 1
    trap 'leave_scratch "$script" "$scratch"' EXIT
    trap 'kill "$child" 2>/dev/null; wait "$child"; exit 1' HUP INT TERM
    mkdir -m 700 "$scratch"/{bin,files,tests,home,run,config,cache,data,log}
    cp "$VIRSH_CXL" "$DRIVER_MODULE" "$CXL_TAGGED" "$CXL_GUEST" "$scratch/bin"
    if [ -n "${CXL_DCD_LIBRARY-}" ]; then
        cp "$CXL_DCD_LIBRARY" "$scratch/bin/libvirt-cxl-dcd.so.0"
    fi
    cp "$(dirname "$script")"/*.sh "$scratch/tests"
    if [ -n "$E2E_FILES" ]; then
        IFS=: read -r -a files <<<"$E2E_FILES"
        cp "${files[@]}" "$scratch/files" || exit 1
    fi
    if declare -F prepare_scratch >/dev/null; then
        prepare_scratch "$scratch"
    fi
    [ "${#become[@]}" -eq 0 ] || chown -R "$E2E_USER" "$scratch"

    cd "$scratch" || exit 1
    timeout -k 20 "$E2E_DEADLINE" "${become[@]}" env -i \
        PATH="$PATH" LC_ALL=C QEMU="$QEMU" DAEMON="$DAEMON" \
        SCRATCH="$scratch" HOME="$scratch/home" TMPDIR="$scratch" \
        XDG_RUNTIME_DIR="$scratch/run" XDG_CONFIG_HOME="$scratch/config" \
        XDG_CACHE_HOME="$scratch/cache" XDG_DATA_HOME="$scratch/data" \
        LD_LIBRARY_PATH="$scratch/bin" \
        LIBVIRT_DEFAULT_URI=qemu:///session LIBVIRT_AUTOSTART=0 \
        LIBVIRT_CXL_DCD_DRIVER="$scratch/bin/$(basename "$DRIVER_MODULE")" \
        LIBVIRT_CXL_DCD_QEMU_MODULE="$scratch/bin/$(basename "$CXL_TAGGED")" \
        ${DAEMON_ENVIRONMENT:+"DAEMON_ENVIRONMENT=$DAEMON_ENVIRONMENT"} \
        ${DAEMON_PRELOAD:+"DAEMON_PRELOAD=$DAEMON_PRELOAD"} \
        ${ARRANGEMENTS:+"ARRANGEMENTS=$ARRANGEMENTS"} \
        ${STRESS_SECONDS:+"STRESS_SECONDS=$STRESS_SECONDS"} \
        ${STOP_ROUNDS:+"STOP_ROUNDS=$STOP_ROUNDS"} ${REST_DOMAINS:+"REST_DOMAINS=$REST_DOMAINS"} \
        ${REST_SECONDS:+"REST_SECONDS=$REST_SECONDS"} \
        bash "$scratch/tests/$(basename "$script")" &
    child=$!
    wait "$child"
    status=$?
    [ "$status" -ne 124 ] || echo "Bail out! not done after $E2E_DEADLINE seconds"
    exit "$status"
}

[ -n "${SCRATCH-}" ] || enter_scratch "$0"

# Further files that some tests need: E2E_FILES, separated by colons
FILES=$SCRATCH/files

cd "$SCRATCH" || exit 1
trap 'end_processes "$SCRATCH"' EXIT
trap 'exit 1' HUP INT TERM

# --------------------------------------------------------------------- TAP

number=0
failures=0

# The last command of "run", and its output, errors and exit status.
command=
out=
err=
status=0

# Lines of diagnostics.
diagnose()
{
    printf '%s\n' "$@" | sed 's/^/# /'
}

diagnose_file()
{
    if [ -s "$1" ]; then
        diagnose "--- the end of ${1#"$SCRATCH"/}:"
        tail -n "${2:-15}" "$1" | cut -c 1-300 | sed 's/^/# /'
    fi
}

# pass TEXT, fail TEXT [DIAGNOSTICS...]
pass()
{
    number=$((number + 1))
    echo "ok $number - ${arrangement:+$arrangement: }$1"
}

fail()
{
    local file text=$1

    shift
    file=$(find "$SCRATCH/cache/libvirt/qemu/log" -name '*.log' -printf '%T@ %p\n' 2>/dev/null |
        sort -n | tail -n 1 | cut -d ' ' -f 2)
    number=$((number + 1))
    failures=$((failures + 1))
    echo "not ok $number - ${arrangement:+$arrangement: }$text"
    [ $# -eq 0 ] || diagnose "$@"
    diagnose "--- the last command: $command" "status $status" \
        "stdout: ${out:0:2000}" "stderr: ${err:0:2000}"
    diagnose_file "$SCRATCH/log/daemon"
    [ -z "$file" ] || diagnose_file "$file" 5
}

# is TEXT GOT EXPECTED: they are equal
is()
{
    if [ "$2" = "$3" ]; then
        pass "$1"
    else
        fail "$1" "got:      $2" "expected: $3"
    fi
}

# has TEXT GOT PART: GOT contains PART
has()
{
    case $2 in
    *"$3"*) pass "$1" ;;
    *) fail "$1" "got:      $2" "expected: ... $3 ..." ;;
    esac
}

# same TEXT FILE FILE: the files are the same, byte for byte
same()
{
    if cmp -s "$2" "$3"; then
        pass "$1"
    else
        fail "$1" "$(diff -u "$2" "$3" | head -n 60)"
    fi
}

# run COMMAND...: sets out, err, status; a command may be a function
run()
{
    command="$*"
    "$@" >"$SCRATCH/out" 2>"$SCRATCH/err"
    status=$?
    out=$(<"$SCRATCH/out")
    err=$(<"$SCRATCH/err")
    return "$status"
}

# succeeds TEXT COMMAND...
succeeds()
{
    local text=$1

    shift
    if run "$@"; then
        pass "$text"
    else
        fail "$text"
    fi
}

# fails TEXT MESSAGE COMMAND...: its exit status is 1, or the value of "wanted", and its errors
# contain MESSAGE, reported once: on at most two "error: " lines
fails()
{
    local text=$1 message=$2 rest

    shift 2
    run "$@"
    rest=${err/"$message"/}
    if [ "$status" -ne "${wanted-1}" ]; then
        fail "$text" "expected: exit status ${wanted-1}"
    elif [ "$rest" = "$err" ]; then
        fail "$text" "expected: $message"
    elif [ "$(grep -c '^error: ' <<<"$err")" -gt 2 ]; then
        fail "$text" "expected: what failed on one line, and why on another"
    else
        pass "$text"
    fi
}

# eventually TEXT EXPECTED COMMAND...: COMMAND prints EXPECTED within WAIT seconds
eventually()
{
    local text=$1 expected=$2 end=$((SECONDS + WAIT))

    shift 2
    until { run "$@" && [ "$out" = "$expected" ]; } || [ "$SECONDS" -ge "$end" ]; do
        sleep 0.1
    done
    is "$text" "$out" "$expected"
}

# promptly TEXT EXPECTED COMMAND...: COMMAND prints EXPECTED within PROMPT seconds
promptly()
{
    local text=$1 expected=$2 begun=${EPOCHREALTIME/./} limit

    shift 2
    limit=$(awk "BEGIN { print $PROMPT * 1000000 }")
    until { run "$@" && [ "$out" = "$expected" ]; } ||
        [ $((${EPOCHREALTIME/./} - begun)) -gt "$limit" ]; do
        sleep 0.05
    done
    is "$text" "$out" "$expected"
    diagnose "after $(((${EPOCHREALTIME/./} - begun) / 1000)) ms"
}

# wait_for WHAT COMMAND...: waits until it succeeds; not a test itself, but the test cannot
# continue if it fails
wait_for()
{
    local what=$1 end=$((SECONDS + WAIT))

    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ]; then
            diagnose_file "$SCRATCH/log/daemon" 40
            echo "Bail out! $what in vain: $*"
            exit 1
        fi
        sleep 0.05
    done
}

# must COMMAND...: part of a test's preparation; the test cannot continue if it fails
must()
{
    run "$@" && return
    fail "preparation: $*"
    echo "Bail out! $1 failed"
    exit 1
}

finish()
{
    stop_daemon
    echo "1..$number"
    [ "$failures" -eq 0 ]
    exit
}

# ------------------------------------------------------ daemon and clients

arrangement=
daemon=
daemon_environment=() # NAME=VALUE: what else it gets

# The stock virsh, virsh-cxl, and the virsh of the current arrangement.
stock()
{
    timeout "$COMMAND_DEADLINE" virsh "$@"
}

cxl()
{
    timeout "$COMMAND_DEADLINE" "$SCRATCH/bin/virsh-cxl" "$@"
}

client()
{
    if [ "$arrangement" = daemon ]; then
        stock "$@"
    else
        cxl "$@"
    fi
}

# launch_daemon module|stock
launch_daemon()
{
    local module=

    [ "$1" = stock ] || module=$LIBVIRT_CXL_DCD_DRIVER
    module=${DAEMON_PRELOAD-}${DAEMON_PRELOAD:+${module:+:}}$module
    # shellcheck disable=SC2086
    env ${module:+"LD_PRELOAD=$module"} ${DAEMON_ENVIRONMENT-} LIBVIRT_LOG_OUTPUTS=3:stderr "${daemon_environment[@]}" \
        "$DAEMON" -t 60 >>"$SCRATCH/log/daemon" 2>&1 &
    daemon=$!
    wait_for "waited for $DAEMON" stock uri
}

stop_daemon()
{
    [ -n "$daemon" ] || return 0
    kill "$daemon" 2>/dev/null
    wait "$daemon" 2>/dev/null
    daemon=
}

# Kills the daemon, which cannot prepare for it. The domains keep running.
kill_daemon()
{
    kill -KILL "$daemon"
    wait "$daemon" 2>/dev/null
    daemon=
}

restart_daemon()
{
    stop_daemon
    launch_daemon "$(daemon_kind)"
}

daemon_kind()
{
    if [ "$arrangement" = client ] || [ "$arrangement" = stock ]; then
        echo stock
    else
        echo module
    fi
}

# arrange ARRANGEMENT: switches to it; "stock" means no module anywhere
arrange()
{
    stop_daemon
    arrangement=$1
    launch_daemon "$(daemon_kind)"
}

# some_of ARRANGEMENT...: those of them that ARRANGEMENTS names, or all if it is not set
some_of()
{
    local one

    for one; do
        [[ " ${ARRANGEMENTS:-$*} " != *" $one "* ]] || echo "$one"
    done
}

# ----------------------------------------------------------------- domains

# domain NAME [DEVICES] [ARGUMENTS] [TOP]: its XML; DEVICES go under <devices>,
# ARGUMENTS are <qemu:arg>, TOP goes under <domain>
domain()
{
    cat <<XML
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>$1</name>
  <uuid>00000000-0000-4000-8000-$(printf '%s' "$1" | md5sum | cut -c 1-12)</uuid>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
  </os>
  <features>
    <acpi/>
  </features>
${4-}  <devices>
    <emulator>$(command -v "$QEMU")</emulator>
${2-}    <memballoon model='none'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-qtest'/>
    <qemu:arg value='unix:$SCRATCH/$1.qtest,server=on,wait=off'/>
    <qemu:arg value='-qtest-log'/>
    <qemu:arg value='none'/>
${3-}  </qemu:commandline>
</domain>
XML
}

# device MODEL [SIZE-MiB] [REGIONS] [ALIAS] [INNER]: a <cxl-dcd>
device()
{
    cat <<XML
    <cxl-dcd model='$1'>
      <target>
        <size unit='MiB'>${2:-1024}</size>
        <regions>${3:-1}</regions>
      </target>
${5-}${4:+      <alias name='$4'/>
}    </cxl-dcd>
XML
}

# put NAME.xml: standard input becomes a file in the scratch folder
put()
{
    cat >"$SCRATCH/$1"
}

# boot NAME [domain()'s other arguments]: defines the domain and starts it, paused
boot()
{
    domain "$@" | put "$1.xml"
    must client define "$SCRATCH/$1.xml"
    must client start --paused "$1"
}

# Characters special to a terminal, a shell, JSON and XML that a domain's name may contain.
ODD_NAME="a \"b\" 'c' [d] \\ <e>&amp;"

# boot_odd DEVICES: a domain with that name, started, paused; remove_odd ends it
boot_odd()
{
    local escaped

    escaped=$(sed 's/&/\&amp;/g; s/</\&lt;/g' <<<"$ODD_NAME")
    domain odd "$1" | awk -v name="$(sed 's/[\\&]/\\\\&/g' <<<"$escaped")" \
        '{ sub("<name>odd</name>", "<name>" name "</name>"); print }' | put odd.xml
    must client define "$SCRATCH/odd.xml"
    must client start --paused "$ODD_NAME"
}

remove_odd()
{
    must stock destroy "$ODD_NAME"
    must stock undefine "$ODD_NAME"
}

# stop NAME: kills QEMU at once; "destroy" would wait for it to end properly
stop()
{
    local pid=$SCRATCH/run/libvirt/qemu/run/$1.pid

    [ -s "$pid" ] || return
    kill -KILL "$(<"$pid")"
    wait_for "waited for the end of domain $1" is_stopped "$1"
}

is_stopped()
{
    ! stock list --name | grep -qx "$1"
}

# remove NAME...: removes domains, running or not, defined or not
remove()
{
    local name

    for name in "$@"; do
        stop "$name"
        stock undefine "$name" >/dev/null 2>&1
        rm -f "$SCRATCH/$name".*
    done
}

# guest NAME COMMAND...: the guest executes the command
guest()
{
    local name=$1

    shift
    timeout "$COMMAND_DEADLINE" "$SCRATCH/bin/cxl-guest" --qtest "$SCRATCH/$name.qtest" "$@"
}

# serve NAME [OPTION...]: a guest that answers by itself, until end_serve
serve()
{
    local name=$1

    shift
    : >"$SCRATCH/log/guest"
    "$SCRATCH/bin/cxl-guest" --qtest "$SCRATCH/$name.qtest" serve --no-stdin "$@" \
        >>"$SCRATCH/log/guest" 2>&1 &
    server=$!
    wait_for "waited for the guest" grep -q ready "$SCRATCH/log/guest"
}

end_serve()
{
    kill "$server"
    wait "$server" 2>/dev/null
}

# qmp NAME COMMAND [ARGUMENTS]: prints QEMU's answer
qmp()
{
    stock qemu-monitor-command "$1" "{\"execute\":\"$2\"${3:+,\"arguments\":$3}}"
}

# objects NAME: the ids of QEMU's objects
objects()
{
    qmp "$1" qom-list '{"path":"/objects"}' |
        grep -o '"name":"[^"]*"' | cut -d '"' -f 4 | grep -v '^type$' | sort
}

# What libvirt itself stores, whatever clients are shown: the definition, and the running domain.
stored_config()
{
    sed '/^<!--/,/^-->/d' "$SCRATCH/config/libvirt/qemu/$1.xml"
}

stored_live()
{
    xmllint --xpath /domstatus/domain "$SCRATCH/run/libvirt/qemu/run/$1.xml"
}

# everything NAME: all that a failing operation must leave unchanged
everything()
{
    stored_config "$1" 2>&1
    stored_live "$1" 2>&1
    objects "$1" 2>&1
    (cd "$SCRATCH" && echo config/libvirt/qemu/*.xml run/libvirt/qemu/run/*.xml)
}

# unchanged TEXT NAME MESSAGE COMMAND...: it fails with MESSAGE, and has changed nothing
unchanged()
{
    local text=$1 name=$2 before after

    before=$(everything "$name")
    shift 2
    fails "$text" "$@"
    after=$(everything "$name")
    if [ "$before" != "$after" ]; then
        fail "$text: nothing has changed" "$(diff <(echo "$before") <(echo "$after") | head -n 40)"
    fi
}

# --------------------------------------------------------------- capacities

UUID='[0-9a-f]\{8\}-[0-9a-f]\{4\}-[0-9a-f]\{4\}-[0-9a-f]\{4\}-[0-9a-f]\{12\}'

# tag NUMBER: a tag that is easy to recognise
tag()
{
    printf '%08d-aaaa-4aaa-8aaa-aaaaaaaaaaaa\n' "$1"
}

# capacity TAG [SIZE-MiB] [ALIAS] [INNER] [ATTRIBUTES]: a document for attach-device
capacity()
{
    cat <<XML
<cxl-dcd>
  <capacity${1:+ tag='$1'}${5:+ $5}>
    <size unit='MiB'>${2:-256}</size>
${4-}  </capacity>
${3:+  <alias name='$3'/>
}</cxl-dcd>
XML
}

# status_of NAME TAG: the state that cxl-dcd-status shows; nothing if there is none
status_of()
{
    cxl -q cxl-dcd-status "$1" | grep -F " $2 " |
        grep -oE ' (adding|pending|accepted|rejected|releasing) ' | tr -d ' '
}

# state_of NAME TAG: the state that dumpxml shows
state_of()
{
    client dumpxml "$1" |
        xmllint --xpath "string(//cxl-dcd/capacity[@tag='$2']/@state)" - 2>/dev/null
}

# place_of NAME TAG: the device, region and offset (KiB) that dumpxml shows
place_of()
{
    client dumpxml "$1" | xmllint --xpath \
        "concat(//cxl-dcd[capacity/@tag='$2']/alias/@name, ' ',
                //capacity[@tag='$2']/@region, ' ',
                //capacity[@tag='$2']/offset)" - 2>/dev/null
}

# states NAME: "N state " for each capacity shown by dumpxml whose tag comes from tag()
states()
{
    client dumpxml "$1" | grep -o "<capacity tag='$UUID' region='[0-9]' state='[a-z]*'" |
        sed "s/.*tag='0*\([0-9]*\)-.*state='\([a-z]*\)'/\1 \2/" | sort -n | tr '\n' ' '
}

# recorded NAME, owned NAME: the tags of the capacities in dumpxml that were not refused, and of
# those that QEMU has memory for
recorded()
{
    client dumpxml "$1" | grep -o "<capacity tag='$UUID' region='[0-9]' state='[a-z]*'" |
        grep -v rejected | grep -o "$UUID" | sort
}

owned()
{
    objects "$1" | sed -n "s/^cxl-dcd-\($UUID\)$/\1/p"
}

# offers NAME: how many offers the guest has not read
offers()
{
    guest "$1" events | grep -c ' add '
}

# current_of NAME: the amount of accepted capacity that dumpxml shows, KiB
current_of()
{
    client dumpxml "$1" | xmllint --xpath "string(//cxl-dcd/target/current)" - 2>/dev/null
}

# bytes FILE OFFSET SIZE: the bytes there, in hexadecimal
bytes()
{
    od -A n -v -t x1 -j "$2" -N "$3" "$1" | tr -d ' \n'
}

# record NAME TAG STATE [ATTRIBUTES] [SECONDS-AGO] [INNER] [SIZE-MiB] [OFFSET-MiB]: writes a
# record as the library does, in region 0
record()
{
    must stock metadata "$1" --uri "urn:libvirt-cxl-dcd:capacity:1.0:$2" --key cxl-dcd --live \
        --set "<capacity tag='$2' region='0' state='$3' since='$(($(date +%s) - ${5:-60}))'${4:+ $4} \
device='cxl-dcd0' request='12345678-1234-4234-8234-123456789abc'>\
<size unit='KiB'>$((${7:-256} * 1024))</size><offset unit='KiB'>$((${8:-0} * 1024))</offset>${6-}</capacity>"
}

# cleared NAME TAG: once released, nothing of the capacity is left, in the guest or elsewhere;
# "text" begins the test's name
cleared()
{
    run guest "$1" accept
    run cxl cxl-dcd-release "$1" --tag "$2"
    run guest "$1" release
    run cxl cxl-dcd-release "$1" --tag "$2"
    is "$text: it can be released, and leaves nothing" \
        "$(stored_live "$1" | grep -c "$2")$(objects "$1" | grep -c "$2")$(guest "$1" extents)$(guest "$1" events)" 00
}
