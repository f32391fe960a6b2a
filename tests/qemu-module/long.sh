#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# long.sh: a thousand cycles of cycles.sh; some minutes, so not in the suite
#
# It takes the environment of the tests (see lib.sh):
#   meson devenv -C build ../tests/qemu-module/long.sh
CYCLES=1000 exec "$(dirname "$0")/cycles.sh"
