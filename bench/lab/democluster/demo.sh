#!/bin/sh
# A cluster on this machine, struck three times: `make demo-cluster`.
#
# Three nodes with stores of their own, users in rooms and in pairs, and one ledger over all that befalls them, in which every
# message is reconciled by its name. The split needs rules of routing, and so a network of its own, which is made for it and
# goes with it; where this user may make none, there is no split.
set -u
users=${USERS:-6000}
rooms=$((users / 20)) # of ten: half of the users
own="unshare --user --map-root-user --net"
mkdir -p out

set -- bin/stormwheel bench talk --spawn 3 --cluster --conns "$users" --rooms "$rooms" --every 5s --rate 2000 --heartbeat 5s --no-tui \
	--json out/cluster.json --duration 42s --kill-after 3s --restart-after 500ms --drain-after 22s --rolling
acts="kill -9 of one node, and its return with its store; a rolling restart"
if why=$($own sh -c 'ip link set lo up && ip rule add pref 1 ipproto tcp dport 1 blackhole' 2>&1); then
	acts="kill -9 of one node, and its return with its store; a split: for 5 s no node hears another; a rolling restart"
	set -- "$@" --split-after 12s --split-for 5s
	echo "$*"
	$own sh -c 'ip link set lo up && exec "$@"' sh "$@"
else
	echo "There will be no split, since this user may make no network of his own here (unshare and ip; root may): $why"
	echo "$*"
	"$@"
fi
code=$?
case $code in
0) says=pass ;;
99) says="failed: a promise was broken" ;;
4) says="invalid: this machine was too busy to tell, so that it proves nothing; run it again when it has less to do, or with fewer: make demo-cluster USERS=600" ;;
*) says="no verdict, exit code $code" ;;
esac
echo
echo "$acts: $says"
exit $code
