package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// userHz is the unit of the CPU times in /proc/PID/stat; every Linux port of Go has 100.
const userHz = 100

// processUse is what a process costs.
type processUse struct {
	rssBytes int64
	cpuS     float64 // user and system
	fds      int
}

func readProcess(pid int) (processUse, error) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return processUse{}, err
	}
	// The name in parentheses may hold anything, spaces included.
	_, after, _ := strings.Cut(string(stat), ") ")
	f := strings.Fields(after)
	if len(f) < 22 {
		return processUse{}, fmt.Errorf("%sstat: %d fields", dir, len(f))
	}
	number := func(i int) int64 {
		v, _ := strconv.ParseInt(f[i], 10, 64)
		return v
	}
	use := processUse{
		cpuS:     float64(number(11)+number(12)) / userHz,
		rssBytes: number(21) * int64(os.Getpagesize()),
	}
	use.fds, err = countDescriptors(dir + "fd")
	return use, err
}

// countDescriptors asks for the size of the folder, which since Linux 6.2 is their number;
// to list thousands every second would be felt by what is measured.
func countDescriptors(dir string) (int, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return 0, err
	}
	if info.Size() > 0 {
		return int(info.Size()), nil
	}
	fds, err := os.ReadDir(dir)
	return len(fds), err
}

func readKernelCounters() kernelCounters {
	text, err := os.ReadFile("/proc/net/netstat")
	if err != nil {
		return nil
	}
	return parseNetstat(string(text))
}

func kernelRelease() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}

// localPorts is how many ports one source address can connect from.
func localPorts() int {
	low, high := portRange()
	return high - low + 1
}

// ephemeralPorts is the first port that the kernel gives to whoever asks for any.
func ephemeralPorts() int {
	low, _ := portRange()
	return low
}

func portRange() (low, high int) {
	text := procText("/proc/sys/net/ipv4/ip_local_port_range")
	if _, err := fmt.Sscan(text, &low, &high); err != nil || high < low {
		return 32_768, 60_999 // the kernel's default
	}
	return low, high
}

// hurry puts all threads of this process before others until the function that it returns
// is called; threads to come inherit it. All, because a loop that runs first still waits
// for the collector's threads. It leaves alone what somebody has niced, and does nothing
// where it may not.
func hurry() (restore func()) {
	const ordinary, hurried = 0, -10
	if raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err != nil || raw != 20-ordinary {
		return func() {}
	}
	set := func(nice int) {
		tasks, _ := os.ReadDir("/proc/self/task")
		for _, t := range tasks {
			if tid, err := strconv.Atoi(t.Name()); err == nil {
				_ = unix.Setpriority(unix.PRIO_PROCESS, tid, nice) // unprivileged: it stays as it was
			}
		}
	}
	set(hurried)
	return func() { set(ordinary) }
}
