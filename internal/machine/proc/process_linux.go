package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// userHz is the unit of the CPU times in /proc/PID/stat; every Linux port of Go has 100.
const userHz = 100

// Process reads what a process uses. The error is that of the file of /proc, in which
// fs.ErrNotExist means that there is no such process.
func Process(pid int) (Use, error) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return Use{}, err
	}
	// The name in parentheses may hold anything, spaces included.
	f := strings.Fields(string(stat[strings.LastIndex(string(stat), ") ")+1:]))
	if len(f) < 22 {
		return Use{}, fmt.Errorf("%sstat: %d fields", dir, len(f))
	}
	number := func(i int) int64 {
		v, _ := strconv.ParseInt(f[i], 10, 64)
		return v
	}
	use := Use{
		User:     time.Duration(number(11)) * time.Second / userHz,
		System:   time.Duration(number(12)) * time.Second / userHz,
		Resident: number(21) * int64(os.Getpagesize()),
		Ended:    f[0] == "Z" || f[0] == "X",
	}
	use.Descriptors, err = countDescriptors(dir + "fd")
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

// Resident is the memory of a process in bytes, counted page by page: exact, unlike that of
// Process, and slow.
func Resident(pid int) (int64, error) {
	path := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	n, ok := fieldsInBytes(string(text))["Rss"]
	if !ok {
		return 0, fmt.Errorf("%s has no Rss", path)
	}
	return n, nil
}
