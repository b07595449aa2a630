#!/bin/sh
# A million heartbeating connections, both ends on this machine: `make million`.
#
# Each of the 56 nodes, and of the 56 workers, is a process under its own limit of 20,000
# descriptors. Two million sockets are many for the kernel's table of established
# connections, whose size is fixed at boot (2^18 buckets are usual) and which every packet
# is looked up in. A network namespace may have a larger one, so this makes one, if it may.
#
# Processes whose heaps grow alike collect at the same moments, and two processors then have no time for
# PINGs; when nothing grows any more, each collects after two minutes all the same, and these are the same
# minutes. So none of them collects below 160 MiB, which a node and a worker stay under.
#
# RUN=2 keeps its result under that number, beside others: BENCHMARKS.md then has a column for each.
set -eu
number=${RUN:+-$RUN}
export GOGC="${GOGC:-off}" GOMEMLIMIT="${GOMEMLIMIT:-160MiB}"
bench="bin/stormwheel bench hold --conns 1000000 --rate ${RATE:-2400} --profile adaptive --spawn 56 --node-arg loops=1 \
	--heartbeat 60s --timeout 150s --pong-timeout 30s --duration 75s --json out/million$number.json --csv out/million$number.csv"
size=/proc/sys/net/ipv4/tcp_child_ehash_entries

if [ -w $size ] && before=$(cat $size) && echo 4194304 2>/dev/null >$size; then
	trap 'echo "$before" >$size' EXIT
	trap 'exit 130' INT TERM HUP # after bench has ended; without it the shell would end first
	if unshare --net ip link set lo up 2>/dev/null; then
		echo "in a network namespace with a table of 4194304 buckets"
		unshare --net sh -c "ip link set lo up && exec $bench"
		exit
	fi
fi
echo "in this network namespace, whose table of connections may be small: a larger one takes root, unshare and ip"
$bench
