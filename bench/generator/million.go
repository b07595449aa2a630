package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

// readMillion is the result of `make million`; nil if there is none.
func readMillion(file string) (*result.Result, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return result.Parse(text)
}

// million says on which day and machine, and then the table of that result.
func million(res *result.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "on %s: %d nodes and %d worker processes on one machine (%s, %d cores, %s). The verdict is %q. Memory is resident, by the connections at the end; the kernel's holds both ends, and whatever else grew meanwhile.\n\n",
		res.Started.Format("2006-01-02"), len(res.Server), res.Generator.Workers, res.Build.Processor, res.Build.CPUs, mebibytes(res.Build.MemoryBytes), res.Verdict)
	b.WriteString("| figure | |\n|---|--:|\n")
	row := func(name, format string, values ...*float64) {
		text := "unknown"
		args := make([]any, 0, len(values))
		for _, v := range values {
			if v != nil {
				args = append(args, *v)
			}
		}
		if len(args) == len(values) {
			text = fmt.Sprintf(format, args...)
		}
		fmt.Fprintf(&b, "| %s | %s |\n", name, text)
	}
	fmt.Fprintf(&b, "| connections at the end | %s |\n", benchdoc.Grouped(res.Conns.End))
	row("connect rate, 1/s", "%.0f", res.Connect.RatePerS)
	row("all connected after, s", "%.0f", connectedAfter(res))
	row("server, B a connection", "%.0f", res.Memory.ServerBytesPerConn)
	row("generator, B a connection", "%.0f", res.Memory.GeneratorBytesPerConn)
	row("kernel, B a connection", "%.0f", res.Memory.KernelBytesPerConn)
	if rtt := res.Heartbeat.RTTms; rtt != nil {
		row("round trip p50 / p99, ms", "%.2f / %.2f", &rtt.P50, &rtt.P99)
	}
	if late := res.Generator.LateMs; late != nil {
		row("generator late p99, ms", "%.2f", &late.P99)
	}
	fmt.Fprintf(&b, "| sessions lost, falsely evicted | %d, %d |\n", res.Conns.Lost, res.Eviction.False)
	row("wall, teardown apart, s", "%.0f", &res.WallS)
	return b.String()
}

// connectedAfter is when the last client of the ramp was in, in seconds.
func connectedAfter(res *result.Result) *float64 {
	if res.Connect.RatePerS == nil || *res.Connect.RatePerS == 0 {
		return nil
	}
	return new(float64(res.Conns.Target) / *res.Connect.RatePerS)
}

func mebibytes(bytes *int64) string {
	if bytes == nil {
		return "memory unknown"
	}
	return fmt.Sprintf("%d MiB", *bytes>>20)
}
