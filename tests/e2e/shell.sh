#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# shell.sh: virsh-cxl without a command: our commands and virsh's, from a pipe, in a string, and
# typed at a terminal

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

NAME="shell-vm"

# feed LINE... : pipes the lines to the shell
feed()
{
    printf '%s\n' "$@" | cxl
}

# answers: the output, without prompts and echoed input
answers()
{
    grep -v '^virsh-cxl [#>] \|^$' <<<"$out" | tail -n +4
}

from_a_pipe()
{
    succeeds "an empty pipe" cxl </dev/null
    is "the welcome" "$(head -n 1 <<<"$out")" \
        "Welcome to virsh-cxl, virsh with commands for CXL dynamic capacity."
    succeeds "quiet" cxl -q </dev/null
    is "no welcome" "$out" "virsh-cxl # "

    run feed "domstate $NAME" "cxl-dcd-add $NAME --size 2M --tag $(tag 1)" \
        "cxl-dcd-status $NAME" "domuuid $NAME" quit uri
    is "a pipe succeeds" "$status" 0
    is "both kinds, in order" "$(answers | sed -n '1p;2p;$p')" "paused
$(tag 1)
$UUID_OF"
    has "a command of ours" "$out" " pending "
    is "nothing after quit" "$(grep -c ' # uri' <<<"$out")" 0

    run feed "nosuch-command" cxl-dcd-nosuch "cxl-dcd-status nosuch" "echo \"a" "echo still; echo here" exit
    is "a failure does not end it, nor is it the pipe's" "$status/$(answers | tail -n 2)" \
        "0/still
here"
    has "what no one knows" "$err" "error: unknown command: 'cxl-dcd-nosuch': expected one of"
    has "virsh's own error" "$err" "error: unknown command: 'nosuch-command'"
    has "our error" "$err" "error: failed to get domain 'nosuch'"
    has "a line that is wrong" "$err" 'error: missing "'

    run feed "cd $SCRATCH/home" pwd cd "cd /none" pwd
    is "cd is for all that follows" "$(answers)" "$SCRATCH/home
$SCRATCH/home"
    has "no such folder" "$err" "error: cd: /none: No such file or directory"

    run feed "cxl-dcd-status $NAME" "connect test:///default" uri "cxl-dcd-status test" \
        "connect nosuch:///x" uri "connect --readonly qemu:///session" uri \
        "cxl-dcd-release $NAME --tag $(tag 1)" "undefine $NAME"
    has "connect: our commands" "$err" "needs a connection to QEMU, such as --connect qemu:///system, not to TEST"
    has "connect: a URI that cannot be" "$err" "error: failed to connect"
    is "connect: virsh's commands; what fails changes nothing" \
        "$(answers | grep ':///')" "test:///default
test:///default
qemu:///session"
    is "connect: read-only, both kinds" "$(grep -c 'read only\|read-only' <<<"$err")" 2
    has "connect: read-only: the prompt" "$out" "virsh-cxl > uri"
}

in_a_string()
{
    succeeds "a string of both kinds" cxl "domuuid $NAME; cxl-dcd-status $NAME --no-refresh"
    is "virsh's in a string" "$(head -n 1 <<<"$out")" "$UUID_OF"
    has "ours in a string" "$out" "Device: cxl-dcd0"
    succeeds "ours alone in a string, with a quote" cxl "cxl-dcd-status \"$NAME\" # pending"
    run cxl "cxl-dcd-status $NAME; domstate nosuch"
    is "the last one's status: failure" "$status" 1
    run cxl "domstate $NAME; cxl-dcd-status"
    is "the last one's status: a wrong command line" "$status" 2
    run cxl "cxl-dcd-status nosuch; domstate $NAME"
    is "the last one's status: success" "$status/$(head -n 1 <<<"$out")" 0/paused
    run cxl -q "cxl-dcd-list; cd /; pwd; quit; uri"
    is "cd and quit in a string" "$(tail -n 1 <<<"$out")" /
    run cxl "help cxl-dcd; uri"
    is "help in a string" "$(grep -c '^    cxl-dcd-' <<<"$out")/$(grep -c 'qemu:///session' <<<"$out")" 7/1
    wanted=2 fails "what has no end" 'error: missing "' cxl "cxl-dcd-status \"$NAME"
    succeeds "a string of virsh's alone is virsh's" cxl "echo 'a;b' ; domuuid $NAME"
    is "its words" "$(head -n 1 <<<"$out")" "a;b"
}

# at_terminal: runs the shell at a terminal; standard input is a list of ["what to wait for",
# "what to type"] in Python; prints what the terminal shows in the end
at_terminal()
{
    timeout "$COMMAND_DEADLINE" python3 -c '
import ast, os, pty, select, sys, time
steps = ast.literal_eval(sys.stdin.read())
pid, terminal = pty.fork()
if pid == 0:
    os.environ["TERM"] = "dumb"
    os.execvp(sys.argv[1], sys.argv[1:])
shown = b""

def read_some(wait):
    global shown
    if not select.select([terminal], [], [], wait)[0]:
        return True
    try:
        data = os.read(terminal, 65536)
    except OSError:
        return False
    shown += data
    return bool(data)

seen, last = 0, None
for awaited, typed in steps:
    end = time.monotonic() + 20
    while shown.find(awaited.encode(), seen) < 0:
        if time.monotonic() > end or not read_some(0.1):
            sys.exit("in vain for %r in %r" % (awaited, shown[seen:]))
        # the process it was meant for may not have been there yet: send it again
        if last == "\x03" and time.monotonic() > again:
            os.write(terminal, b"\x03")
            again += 1
    seen = shown.find(awaited.encode(), seen) + len(awaited)
    os.write(terminal, typed.encode())
    last, again = typed, time.monotonic() + 1
while read_some(1):
    pass
status = os.waitpid(pid, 0)[1]
print(shown.decode(errors="replace").replace("\r", ""))
sys.exit(os.waitstatus_to_exitcode(status))
' "$SCRATCH/bin/virsh-cxl"
}

typed()
{
    run at_terminal <<PY
[["virsh-cxl # ", "domuuid $NAME\n"],
 ["$UUID_OF\r\n", ""], ["virsh-cxl # ", "this is dropped\x03"],
 ["virsh-cxl # ", "cxl-dcd-st\t--no-refresh shell\t\n"],
 ["Device: cxl-dcd0", ""], ["virsh-cxl # ", "echo 'nothing\x20of'\x20it\x03"],
 ["virsh-cxl # ", "event --all --loop\n"],
 ["loop\r\n", "\x03"],
 ["virsh-cxl # ", "cxl-dcd-add $NAME --size 2M --tag $(tag 3) --wait\n"],
 ["$(tag 3)\r\n", ""], ["guest to answer", "\x03"],
 ["virsh-cxl # ", "\x12no\x03"],
 ["virsh-cxl # ", "echo after all\n"],
 ["after all\r\n", ""], ["virsh-cxl # ", "\x04"]]
PY
    is "a terminal: Ctrl-D ends it" "$status" 0
    is "a terminal: what Ctrl-C dropped was not run" "$(grep -c 'unknown command' <<<"$out")" 0
    has "a terminal: completion of a command and a domain" "$out" \
        "virsh-cxl # cxl-dcd-status --no-refresh $NAME"
    is "a terminal: the history" "$(grep -c . "$SCRATCH/cache/virsh-cxl/history")" 5

    run at_terminal <<PY
[["virsh-cxl # ", "\x1b[A\n"], ["after all\r\n", ""], ["virsh-cxl # ", "quit\n"]]
PY
    is "a terminal: the history comes back" "$status" 0
}

# The connection is kept, and reopened if the daemon was restarted.
another_daemon()
{
    local shell

    mkfifo "$SCRATCH/lines"
    cxl <"$SCRATCH/lines" >"$SCRATCH/log/shell" 2>&1 &
    shell=$!
    exec 3>"$SCRATCH/lines"
    echo "cxl-dcd-status $NAME --no-refresh" >&3
    wait_for "waited for the first answer" grep -q Device: "$SCRATCH/log/shell"
    restart_daemon
    echo "cxl-dcd-status $NAME --no-refresh" >&3
    echo quit >&3
    wait "$shell"
    exec 3>&-
    is "a daemon that was started anew" "$(grep -c Device: "$SCRATCH/log/shell")" 2
}

arrange client
boot "$NAME" "$(device static)
"
UUID_OF=$(stock domuuid "$NAME" | head -n 1)
from_a_pipe
in_a_string
typed
another_daemon
remove "$NAME"
finish
