package peers

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// PerProcess is how many connections a server process gets before another one is started.
const PerProcess = 15_000

// Group is the processes that serve one measurement: one, or as many as the descriptors of
// a process make necessary.
type Group []*Server

// StartGroup starts so many processes of a kind.
func StartGroup(kind string, processes int, flags ...string) (Group, error) {
	var g Group
	for range processes {
		p, err := Start(kind, flags...)
		if err != nil {
			g.Stop()
			return nil, err
		}
		g = append(g, p)
	}
	return g, nil
}

// Stop kills and reaps them.
func (g Group) Stop() {
	for _, p := range g {
		p.Stop()
	}
}

// Addrs are where they listen.
func (g Group) Addrs() []string {
	var all []string
	for _, p := range g {
		all = append(all, p.Addr)
	}
	return all
}

// RSS is what they hold together, each after a collection.
func (g Group) RSS() (sum int64, err error) {
	for _, p := range g {
		n, err := p.RSS()
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// CPU is what they have used together.
func (g Group) CPU() (sum kit.CPU, err error) {
	for _, p := range g {
		c, err := p.CPU()
		if err != nil {
			return sum, err
		}
		sum.User += c.User
		sum.System += c.System
	}
	return sum, nil
}

// TooMany says why so many connections can't be measured on this machine with so many a
// process, or nothing. Both ends of each are here.
func TooMany(conns, perProcess int) string {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < uint64(perProcess)*21/20+128 {
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
