# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced. reserve_hugepages MIB makes sure that so much is free in 2 MiB pages; give_back_hugepages undoes it.
_hugepages_dir=/sys/kernel/mm/hugepages/hugepages-2048kB
_hugepages_before=

reserve_hugepages() {
    local wanted=$(( ($1 + 1) / 2 )) free total
    free=$(cat $_hugepages_dir/free_hugepages)
    total=$(cat $_hugepages_dir/nr_hugepages)
    if [ "$free" -ge "$wanted" ]; then return 0; fi
    _hugepages_before=$total
    echo $((total + wanted - free)) >$_hugepages_dir/nr_hugepages
    free=$(cat $_hugepages_dir/free_hugepages)
    if [ "$free" -ge "$wanted" ]; then return 0; fi
    # Memory may be fragmented: ask the kernel to tidy up once, then try again.
    echo 3 >/proc/sys/vm/drop_caches
    echo 1 >/proc/sys/vm/compact_memory
    total=$(cat $_hugepages_dir/nr_hugepages)
    echo $((total + wanted - free)) >$_hugepages_dir/nr_hugepages
    free=$(cat $_hugepages_dir/free_hugepages)
    if [ "$free" -lt "$wanted" ]; then
        echo "only $((free * 2)) of $1 MiB of hugepages could be had" >&2
        return 1
    fi
}

give_back_hugepages() {
    if [ -n "$_hugepages_before" ]; then echo "$_hugepages_before" >$_hugepages_dir/nr_hugepages; fi
}
