package bench

import (
	"strconv"
	"strings"
)

// kernelCounters are the TcpExt counters of /proc/net/netstat by their names there.
type kernelCounters map[string]int64

// parseNetstat reads the file: pairs of lines, names then values, each with a prefix.
func parseNetstat(text string) kernelCounters {
	counters := kernelCounters{}
	lines := strings.Split(text, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		if len(names) == 0 || names[0] != "TcpExt:" || len(names) != len(values) {
			continue
		}
		for j := 1; j < len(names); j++ {
			if v, err := strconv.ParseInt(values[j], 10, 64); err == nil {
				counters[names[j]] = v
			}
		}
	}
	return counters
}
