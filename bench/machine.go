package bench

import (
	"os"
	"strconv"
	"strings"
)

// readMachine names the processor and counts the memory, as /proc has them; "" and nil
// where there is no such file.
func readMachine() (processor string, memoryBytes *int64) {
	kib, _, _ := strings.Cut(procField("/proc/meminfo", "MemTotal"), " ")
	if n, err := strconv.ParseInt(kib, 10, 64); err == nil {
		memoryBytes = new(n << 10)
	}
	return procField("/proc/cpuinfo", "model name"), memoryBytes
}

// procField is the value of the first "name : value" line of a file.
func procField(file, name string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
