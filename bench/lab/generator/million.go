package generator

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/result"
)

// million says on which day and machine, and then the table of that result.
func million(p *kit.Page, res *result.Result) {
	p.Printf("on %s: %d nodes and %d worker processes on one machine (%s, %d cores, %s). The verdict is %q. Memory is resident, by the connections at the end; the kernel's holds both ends, and whatever else grew meanwhile.\n\n",
		res.Started.Format("2006-01-02"), len(res.Server), res.Generator.Workers, res.Build.Processor, res.Build.CPUs, mebibytes(res.Build.MemoryBytes), res.Verdict)
	var rows [][]string
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
		rows = append(rows, []string{name, text})
	}
	row("connections at the end", kit.Count(res.Conns.End))
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
	row("sessions lost, falsely evicted", fmt.Sprintf("%d, %d", res.Conns.Lost, res.Eviction.False))
	row("wall, teardown apart, s", "%.0f", &res.WallS)
	p.Table([]string{"figure", ""}, rows)
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
