#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# rest.sh: a daemon whose domains are at rest does nothing, with the module as without
#
# REST_DOMAINS says how many domains; 20 when not set.

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

: "${REST_DOMAINS:=20}"
REST_SECONDS=10

# used: the time that the daemon has been running, in ms. The clock ticks every 10 ms, and
# threads that have ended count too.
used()
{
    awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / hz }' "/proc/$daemon/stat"
}

# rest ARRANGEMENT: what the daemon uses in REST_SECONDS, in ms
rest()
{
    local before

    arrange "$1"
    # what a client does to it, and what follows from it, is over
    sleep 3
    before=$(used)
    sleep $REST_SECONDS
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
if [ $((rested - without)) -le $REST_SECONDS ]; then
    pass "$text"
else
    fail "$text" "stock: $without ms, with the module: $rested ms, in $REST_SECONDS s"
fi

# What waits for its guest is looked at ever less often, what is held now and then.
capacity "$(tag 1)" 256 | put capacity.xml
for n in 1 2 3 4 5; do
    must stock attach-device "rest$n" "$SCRATCH/capacity.xml" --live
    must guest "rest$n" accept
done
eventually "five of them hold capacity" "$(printf 'accepted %.0s' 1 2 3 4 5)" \
    eval 'for n in 1 2 3 4 5; do state_of rest$n "$(tag 1)"; done | tr "\n" " "'
sleep 1
before=$(used)
sleep $REST_SECONDS
diagnose "five hold capacity: $(($(used) - before)) ms in $REST_SECONDS s"

for ((n = 1; n <= REST_DOMAINS; n++)); do
    remove "rest$n"
done

finish
