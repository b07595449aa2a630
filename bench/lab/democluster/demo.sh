#!/bin/sh
# A cluster on this machine, struck three times: `make demo-cluster`.
#
# Each act is three nodes with stores of their own, users in rooms and in pairs, and a ledger in which every message is
# reconciled by its name. The split needs rules of routing, and so a network of its own, which is made for it and
# goes with it; where this user may make none, that act is skipped.
set -u
users=${USERS:-6000}
rooms=$((users / 20)) # of ten: half of the users
talk="bench talk --spawn 3 --cluster --conns $users --rooms $rooms --every 5s --rate 2000 --heartbeat 5s --no-tui"
own="unshare --user --map-root-user --net"
mkdir -p out
worst=0

act() { # NUMBER TITLE; then the command, with its flags
	title="act $1: $2"
	shift 2
	echo
	echo "$title"
	echo "$*"
	"$@"
	code=$?
	case $code in
	0) says=pass ;;
	99) says="failed: a promise was broken" ;;
	4) says="invalid: this machine was too busy to tell, so that it proves nothing; run it again when it has less to do, or with fewer: make demo-cluster USERS=600" ;;
	130) exit 130 ;;
	*) says="no verdict, exit code $code" ;;
	esac
	told="$told
$title: $says"
	# What is wrong counts for more than what is not known.
	if [ $code -ne 0 ] && { [ $worst -eq 0 ] || [ $worst -eq 4 ]; }; then worst=$code; fi
}

told=""
act one "kill -9 of one node, and its return with its store" \
	bin/stormwheel $talk --duration 12s --kill-after 3s --json out/cluster-kill.json

if why=$($own sh -c 'ip link set lo up && ip rule add pref 1 ipproto tcp dport 1 blackhole' 2>&1); then
	act two "a split: for 5 s no node hears another" \
		$own sh -c 'ip link set lo up && exec "$@"' sh bin/stormwheel $talk --duration 14s --split-after 3s --split-for 5s --json out/cluster-split.json
else
	told="$told
act two, a split: skipped, since this user may make no network of his own here (unshare and ip; root may): $why"
fi

act three "a rolling restart: SIGTERM to each node, one after the other" \
	bin/stormwheel $talk --duration 18s --drain-after 2s --restart-after 500ms --rolling --json out/cluster-rolling.json

echo "$told"
exit $worst
