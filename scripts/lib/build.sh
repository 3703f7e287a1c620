# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced. configured FOLDER MESON_ARGUMENT…: FOLDER is set up, and its -D options are these, whoever set it up before and
# for what. What Meson says is shown only when it fails.
configured() {
    local folder=$1 output
    shift
    if [ ! -f "$folder/build.ninja" ]; then
        output=$(meson setup "$folder" "$@" 2>&1) || { printf '%s\n' "$output" >&2; return 1; }
    elif ! _has_options "$folder" "$@"; then # asked first: `meson configure` costs a new configuration in any case
        output=$(meson configure "$folder" "$@" 2>&1) || { printf '%s\n' "$output" >&2; return 1; }
    fi
}

_has_options() {
    meson introspect --buildoptions "$1" | python3 -c '
import json, sys
now = {option["name"]: str(option["value"]).lower() for option in json.load(sys.stdin)}
wanted = dict(argument[2:].split("=", 1) for argument in sys.argv[1:] if argument.startswith("-D"))
sys.exit(any(now.get(name) != value for name, value in wanted.items()))' "${@:2}"
}
