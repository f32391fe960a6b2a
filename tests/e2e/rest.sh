#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# rest.sh: a daemon whose domains are idle does nothing, with the module as without
#
# REST_DOMAINS sets the number of domains, 20 by default; REST_SECONDS how long to measure, 10
# by default.

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

: "${REST_DOMAINS:=20}"
: "${REST_SECONDS:=10}"

# used: the CPU time that the daemon has used, in ms. It is counted in ticks of 10 ms, and
# includes threads that have ended.
used()
{
    awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / hz }' "/proc/$daemon/stat"
}

# rest ARRANGEMENT: the CPU time that the daemon uses in REST_SECONDS, in ms
rest()
{
    local before

    arrange "$1"
    # wait until the clients' requests and their aftereffects are over
    sleep 3
    before=$(used)
    sleep "$REST_SECONDS"
    rested=$(($(used) - before))
    diagnose "$1: $rested ms in $REST_SECONDS s, $before ms before," \
        "$(awk '/VmRSS/ { print $2 }' "/proc/$daemon/status") KiB resident"
}

arrange daemon
for ((n = 1; n <= REST_DOMAINS; n++)); do
    boot "rest$n" "$(device tagged)
"
done
is "so many domains run" "$(stock list --name | grep -c rest)" "$REST_DOMAINS"
rest stock
without=$rested
rest daemon
text="$REST_DOMAINS domains with a device and no capacity: no more than the stock daemon"
# a tenth of a percent, which is one tick
if [ $((rested - without)) -le "$REST_SECONDS" ]; then
    pass "$text"
else
    fail "$text" "stock: $without ms, with the module: $rested ms, in $REST_SECONDS s"
fi

# Capacity that is held is looked at every 30 seconds, and a look takes 1 or 2 ms; if it were
# looked at every 2 seconds, like capacity that waits for its guest, the total would be higher.
HELD=5
capacity "$(tag 1)" 256 | put capacity.xml
for ((n = 1; n <= HELD; n++)); do
    must stock attach-device "rest$n" "$SCRATCH/capacity.xml" --live
    must guest "rest$n" accept
done
held()
{
    local n

    for ((n = 1; n <= HELD; n++)); do
        state_of "rest$n" "$(tag 1)"
    done
}
eventually "$HELD of them hold capacity" "$(yes accepted | head -n $HELD)" held
sleep 1
before=$(used)
sleep "$REST_SECONDS"
rested=$(($(used) - before))
looks=$((HELD * (REST_SECONDS / 30 + 1)))
text="$HELD hold capacity, and are looked at $looks times at most"
diagnose "$rested ms in $REST_SECONDS s"
# CPU time is counted in ticks of 10 ms
if [ "$rested" -le $((looks * 3 + 10)) ]; then
    pass "$text"
else
    fail "$text" "$rested ms are more than 3 for each, and one tick"
fi

for ((n = 1; n <= REST_DOMAINS; n++)); do
    remove "rest$n"
done

finish
