package kit

import (
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/internal/machine"
)

// where says where, when and of which code a section's figures are: the machine, Go, the last
// commit to change paths, date. A figure means nothing without.
func where(began time.Time, commit string, paths []string) string {
	if commit == "" {
		commit = lastCommit(paths)
	}
	return fmt.Sprintf("%v; commit %s; %s; took %v.", machine.Describe(), commit,
		began.UTC().Format("2006-01-02"), time.Since(began).Round(time.Second))
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
