package kit

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// where says where, when and of which code a section's figures are: processor, cores,
// memory, kernel, Go, the last commit to change paths, date. A figure means nothing
// without.
func where(began time.Time, commit string, paths []string) string {
	if commit == "" {
		commit = lastCommit(paths)
	}
	return fmt.Sprintf("%s, %d cores, %s; Linux %s; %s %s/%s; commit %s; %s; took %v.",
		field("/proc/cpuinfo", "model name"), runtime.NumCPU(), field("/proc/meminfo", "MemTotal"),
		kernel(), runtime.Version(), runtime.GOOS, runtime.GOARCH, commit,
		began.UTC().Format("2006-01-02"), time.Since(began).Round(time.Second))
}

func kernel() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}

// lastCommit names the working tree's state of paths.
func lastCommit(paths []string) string {
	out, err := exec.Command("git", append([]string{"log", "-1", "--format=%h", "--"}, paths...)...).Output()
	if err != nil {
		return "unknown"
	}
	hash := strings.TrimSpace(string(out))
	if out, err := exec.Command("git", append([]string{"status", "--porcelain", "--"}, paths...)...).Output(); err == nil && len(out) > 0 {
		hash += " and changes"
	}
	return hash
}

// field returns the value of the first "name : value" line of a file.
func field(file, name string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}
