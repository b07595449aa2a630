package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// perProcess is how many connections a server process gets before another one is started.
const perProcess = 15_000

// group is the processes that serve one measurement: one, or as many as the descriptors of
// a process make necessary.
type group []*process

func startGroup(kind string, processes int, flags ...string) (group, error) {
	var g group
	for range processes {
		p, err := startPeer(kind, flags...)
		if err != nil {
			g.stop()
			return nil, err
		}
		g = append(g, p)
	}
	return g, nil
}

func (g group) stop() {
	for _, p := range g {
		p.stop()
	}
}

func (g group) addrs() []string {
	var all []string
	for _, p := range g {
		all = append(all, p.addr)
	}
	return all
}

func (g group) rss() (sum int64, err error) {
	for _, p := range g {
		n, err := p.rss()
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func (g group) cpu() (sum cpu, err error) {
	for _, p := range g {
		c, err := p.cpu()
		if err != nil {
			return sum, err
		}
		sum.user += c.user
		sum.system += c.system
	}
	return sum, nil
}

// tooMany says why so many connections can't be measured on this machine, or nothing. Both
// ends of each are here.
func tooMany(conns int) string {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < perProcess*21/20+128 {
		return "a process may have " + strconv.FormatUint(limit.Cur, 10) + " descriptors only (ulimit -n)"
	}
	const each, files = 11 << 10, 2 // the kernel takes 8 KiB of it
	if free := memoryAvailable(); free > 0 && int64(conns)*each > free*9/10 {
		return "they need " + strconv.FormatInt(int64(conns)*each>>20, 10) + " MiB of memory, " + strconv.FormatInt(free>>20, 10) + " are free"
	}
	if most := fileMax(); most > 0 && int64(conns)*files+int64(conns)/10 > most {
		return "the kernel allows " + strconv.FormatInt(most, 10) + " open files (fs.file-max)"
	}
	return ""
}

// memoryAvailable is what /proc/meminfo says, in bytes; 0: unknown.
func memoryAvailable() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "MemAvailable:" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

func fileMax() int64 {
	text, err := os.ReadFile("/proc/sys/fs/file-max")
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n
}
