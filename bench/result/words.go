package result

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// percent shows a growth.
func percent(v *float64) string {
	if v == nil {
		return "unknown"
	}
	return fmt.Sprintf("%+.1f %%", *v*100)
}

// words are the quantiles in a row, without their unit.
func (p *Percentiles) words() string {
	return fmt.Sprintf("p50 %.2f  p90 %.2f  p99 %.2f  p99.9 %.2f  max %.2f", p.P50, p.P90, p.P99, p.P999, p.Max)
}

// brief is p50, p99 and max; "none" if there are none.
func (p *Percentiles) brief() string {
	if p == nil {
		return "none"
	}
	return fmt.Sprintf("%.2f/%.2f/%.2f", p.P50, p.P99, p.Max)
}

// Number shows a figure that may be missing.
func Number(v *float64) string {
	if v == nil {
		return "none"
	}
	return strconv.FormatFloat(*v, 'f', decimals(*v), 64)
}

// bytesOf shows a number of bytes that may be unknown.
func bytesOf(v *float64) string {
	if v == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.0f B", *v)
}

func decimals(v float64) int {
	if v == float64(int64(v)) {
		return 0
	}
	return 2
}

// Words lists the classes that occurred.
func (f *Failures) Words() string {
	return named(", failed: ", map[string]int{"refused": f.Refused, "reset": f.Reset, "tls": f.TLS, "closed": f.Closed,
		"connect timeout": f.ConnectTimeout, "welcome timeout": f.WelcomeTimeout, "busy": f.Busy, "goaway": f.GoAway,
		"protocol": f.Protocol, "no port": f.Ports, "no descriptor": f.Descriptors, "no memory": f.Memory, "other": f.Other})
}

// Lacking is what this machine had too little of to connect, in one sentence: no server is to
// blame for it. It is empty if there was nothing.
func (f *Failures) Lacking() string {
	switch {
	case f.Ports > 0:
		return fmt.Sprintf("%d connects found no free local port (net.ipv4.ip_local_port_range); give it more addresses with --source, or a wider range", f.Ports)
	case f.Descriptors > 0:
		return fmt.Sprintf("%d connects found no free descriptor (RLIMIT_NOFILE, fs.file-max); raise it, or use more processes with --workers", f.Descriptors)
	case f.Memory > 0:
		return fmt.Sprintf("%d connects found no memory for a socket (net.ipv4.tcp_mem, fs.epoll.max_user_watches)", f.Memory)
	default:
		return ""
	}
}

// String is empty when there were none.
func (f Failures) String() string { return strings.TrimPrefix(f.Words(), ", failed: ") }

func (l *Losses) words() string {
	return named("", map[string]int{"closed": l.Closed, "reset": l.Reset, "evicted": l.Silence, "goaway": l.GoAway,
		"no pong": l.PongTimeout, "protocol": l.Protocol, "cut": l.Cut})
}

// Plural is n with its noun, one that ends in a hiss.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "es"
}

func named(prefix string, counts map[string]int) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if n := counts[name]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, name))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return prefix + strings.Join(words, ", ")
}

// Millis is a time in milliseconds, to the microsecond.
func Millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
