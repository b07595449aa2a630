package machine

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroup is a memory control group with a limit, the closest one above the process.
type cgroup struct {
	limit int64
	usage string // file of the bytes in use, page cache included
	stat  string // file that tells how much of it the kernel can drop
	cache string // the line of stat that says so
}

// findCgroup looks for the tightest limit among the process's groups, version 2 before
// version 1. Within a container the groups' paths may be those of the host and name
// nothing; the mount itself is then the group.
func findCgroup(procSelfCgroup, mount string) (found cgroup, ok bool) {
	list, err := os.ReadFile(procSelfCgroup)
	if err != nil {
		return found, false
	}
	for line := range strings.Lines(string(list)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		base, limit, usage, cache := mount, "memory.max", "memory.current", "inactive_file"
		if parts[1] == "memory" {
			base, limit, usage, cache = filepath.Join(mount, "memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
		} else if parts[1] != "" {
			continue
		}
		for dir := filepath.Join("/", parts[2]); ; dir = filepath.Dir(dir) {
			at := filepath.Join(base, dir)
			if n, isLimit := readBytes(filepath.Join(at, limit)); isLimit && n < unlimited && (!ok || n < found.limit) {
				found = cgroup{n, filepath.Join(at, usage), filepath.Join(at, "memory.stat"), cache}
				ok = true
			}
			if dir == "/" {
				break
			}
		}
	}
	return found, ok
}

// unlimited is what version 1 says for no limit, rounded down generously.
const unlimited = 1 << 60

// used is what counts towards the limit and cannot be dropped.
func (g cgroup) used() (n int64, ok bool) {
	if n, ok = readBytes(g.usage); !ok {
		return 0, false
	}
	stat, err := os.ReadFile(g.stat)
	if err != nil {
		return n, true
	}
	for line := range bytes.Lines(stat) {
		if name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" ")); string(name) == g.cache {
			if cache, err := strconv.ParseInt(string(value), 10, 64); err == nil {
				n = max(0, n-cache)
			}
			break
		}
	}
	return n, true
}

func readBytes(path string) (n int64, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // "max" is no number and no limit
	return n, err == nil
}

// Cgroup returns the memory limit of the control group that this process is in, in bytes, and
// what reads how much of it is used: what counts towards the limit and cannot be dropped. No
// limit is 0 and nil.
func Cgroup() (limit int64, used func() (n int64, ok bool)) {
	group, ok := findCgroup("/proc/self/cgroup", "/sys/fs/cgroup")
	if !ok {
		return 0, nil
	}
	return group.limit, group.used
}

// Resident is the memory of this process in bytes, soon read, and a few hundred KiB off where
// many threads run.
func Resident() (n int64, ok bool) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0, false
	}
	n, err = strconv.ParseInt(string(fields[1]), 10, 64)
	return n * int64(os.Getpagesize()), err == nil
}

// Memory is what the machine has, in bytes; 0: unknown.
func Memory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return int64(uint64(info.Totalram) * uint64(info.Unit))
}
