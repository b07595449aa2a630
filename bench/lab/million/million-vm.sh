#!/bin/sh
# Bytes a connection of ONE process with many connections, ours and bare gnet, where the
# machine at hand does not allow a process so many descriptors: in an emulated one (QEMU,
# no KVM needed), both ends inside. Memory only: an emulated CPU says nothing about speed.
#
#	bench/lab/million/million-vm.sh [CONNS] [GiB of the machine] [connects a second]
#
# What it says is kept in out/million-vm.txt, from which `go -C bench/lab run . write generator` makes a part of BENCHMARKS.md.
# A million take about 12 GiB. Clients come 2,000 at a time, at the rate that is said, and the next when all of
# those are in. Without that, an emulated machine that falls behind for longer than the clients' patience of 5 s, as
# during one collection of a node of some 100,000 connections, does not recover: those who gave up come again, their
# load test goes before all others, the node is left with 4 % of the processor, and nobody gets in
# (docs/MILLION.md). Debian: apt-get install qemu-system-x86 busybox-static cpio. The kernel is taken
# from its package without installing it; KERNEL=FILE names another.
set -eu
conns=${1:-100000} memory=${2:-14} rate=${3:-1500}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

if [ -z "${KERNEL:-}" ]; then
	package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends:/ { print $2; exit }')
	(cd "$work" && apt-get download -q "$package" && dpkg -x "$package"_*.deb kernel) >&2
	KERNEL=$(echo "$work"/kernel/boot/vmlinuz-*)
fi

root=$work/root
mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/tmp" "$root/dev"
cp "$(command -v busybox)" "$root/bin/busybox"
export CGO_ENABLED=0 GOARCH=amd64
(cd "$here/../../.." && go build -trimpath -o "$root/bin/stormwheel" ./cmd/stormwheel)
(cd "$here/.." && go build -trimpath -o "$root/bin/lab" .)

# The first process of the machine.
cat > "$root/init" <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
ip link set lo up
echo 2200000 > /proc/sys/fs/nr_open; echo 5000000 > /proc/sys/fs/file-max
echo 8000000 > /proc/sys/fs/epoll/max_user_watches
echo 65535 > /proc/sys/net/core/somaxconn; echo 65535 > /proc/sys/net/ipv4/tcp_max_syn_backlog
echo '1024 65535' > /proc/sys/net/ipv4/ip_local_port_range
ulimit -n 2100000
ready() { grep ' ready ' /tmp/load | tail -n 1 | sed 's/.*] *\([0-9]*\) ready.*/\1/'; } # of the swarm's line, which comes once a second
uptime_s() { cut -d. -f1 /proc/uptime; }
rss() { awk '/^VmRSS/ { print \$2 * 1024 }' /proc/\$1/status; }

# fill ADDR: a scenario of ramps, each of which ends when all are in.
fill() {
	echo "target: [\$1]"
	echo "phases:"
	left=$conns
	while [ \$left -gt 0 ]; do
		step=\$(( left < 2000 ? left : 2000 ))
		echo "  - ramp: \$step"
		left=\$(( left - step ))
	done
	echo "  - hold: 24h"
}

# hold NAME PID ADDR: clients until all are in, then what a connection costs.
hold() {
	sleep 5
	cat /tmp/out
	empty=\$(rss \$2) began=\$(uptime_s)
	fill \$3 > /tmp/fill.yaml
	stormwheel bench /tmp/fill.yaml --conns $conns --rate $rate --pong-timeout 60s --no-tui > /tmp/load 2>&1 &
	load=\$!
	while kill -0 \$load 2>/dev/null; do
		sleep 20
		held=\$(ready)
		now=\$(rss \$2)
		echo "\$1 \$(uptime_s)s conns=\$held rss=\$now free=\$(awk '/MemAvailable/ { print \$2 }' /proc/meminfo)"
		[ "\$held" = $conns ] && break
	done
	took=\$(( \$(uptime_s) - began ))
	tail -n 3 /tmp/load
	sleep 130 # the collection that the runtime forces every two minutes, and the scavenger
	held=\$(ready) now=\$(rss \$2)
	echo "RESULT \$1: \$held connections, \$(( (now - empty) / held )) bytes a connection, resident \$now, empty \$empty, in after \$took s"
	kill -9 \$load \$2
	while kill -0 \$load 2>/dev/null || kill -0 \$2 2>/dev/null; do sleep 1; done
	sleep 5
}

terms="--heartbeat 300s --timeout 900s"
stormwheel serve --listen 127.0.0.1:7000 --loops 2 --admit-rate 4000 \$terms > /tmp/out 2>&1 &
hold stormwheel \$! 127.0.0.1:7000
lab serve gnet --listen 127.0.0.1:7001 \$terms > /tmp/out 2>&1 &
hold gnet \$! 127.0.0.1:7001
poweroff -f
INIT
chmod +x "$root/init"
mkdir -p "$here/../../../out"
out=$(cd "$here/../../../out" && pwd)/million-vm.txt
commit=$(git -C "$here" rev-parse --short HEAD 2>/dev/null || echo unknown)
echo "MACHINE $conns $memory $rate on $(date -u +%F), commit $commit: QEMU without KVM, 2 emulated processors, $memory GiB, $(basename "$KERNEL")" > "$out"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) > "$work/initrd"
nice qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m "${memory}G" -nographic -no-reboot \
	-nic none -kernel "$KERNEL" -initrd "$work/initrd" \
	-append "console=ttyS0 quiet panic=-1 mitigations=off transparent_hugepage=madvise nf_conntrack=0" | tee -a "$out"
