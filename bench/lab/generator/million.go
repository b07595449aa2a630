package generator

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/result"
)

// million says where the runs were made, and then has a column for each of them.
func million(p *kit.Page, runs []*result.Result) {
	last := runs[len(runs)-1]
	p.Printf("%d nodes and %d worker processes on one machine (%s, %d cores, %s). Memory is resident, by the connections at the end; the kernel's holds both ends, and whatever else grew meanwhile.\n\n",
		len(last.Server), last.Generator.Workers, last.Build.Processor, last.Build.CPUs, mebibytes(last.Build.MemoryBytes))
	head, rows := []string{"run"}, make([][]string, len(millionRows))
	for i, row := range millionRows {
		rows[i] = []string{row.name}
	}
	for _, res := range runs {
		head = append(head, res.Started.UTC().Format("2006-01-02 15:04"))
		for i, row := range millionRows {
			rows[i] = append(rows[i], row.of(res))
		}
	}
	p.Table(head, rows)
}

// millionRows are what is told of each run.
var millionRows = []struct {
	name string
	of   func(*result.Result) string
}{
	{"verdict", func(res *result.Result) string {
		if why := res.Generator.WhyInvalid; why != nil {
			return string(res.Verdict) + ": " + *why
		}
		return string(res.Verdict)
	}},
	{"commit", func(res *result.Result) string { return res.Build.Version }},
	{"connections at the end", func(res *result.Result) string { return kit.Count(res.Conns.End) }},
	{"connect rate, 1/s", func(res *result.Result) string { return figure("%.0f", res.Connect.RatePerS) }},
	{"all connected after, s", func(res *result.Result) string { return figure("%.0f", connectedAfter(res)) }},
	{"PINGs, of which unanswered", func(res *result.Result) string {
		return kit.Count(res.Heartbeat.Sent) + ", " + kit.Count(res.Heartbeat.Unanswered)
	}},
	{"round trip p50 / p99, ms", func(res *result.Result) string {
		if rtt := res.Heartbeat.RTTms; rtt != nil {
			return figure("%.2f / %.2f", &rtt.P50, &rtt.P99)
		}
		return unknown
	}},
	{"generator late p99, ms", func(res *result.Result) string {
		if late := res.Generator.LateMs; late != nil {
			return figure("%.2f", &late.P99)
		}
		return unknown
	}},
	{"sessions lost, falsely evicted", func(res *result.Result) string { return fmt.Sprintf("%d, %d", res.Conns.Lost, res.Eviction.False) }},
	{"server, B a connection", func(res *result.Result) string { return figure("%.0f", res.Memory.ServerBytesPerConn) }},
	{"generator, B a connection", func(res *result.Result) string { return figure("%.0f", res.Memory.GeneratorBytesPerConn) }},
	{"kernel, B a connection", func(res *result.Result) string { return figure("%.0f", res.Memory.KernelBytesPerConn) }},
	{"wall, teardown apart, s", func(res *result.Result) string { return figure("%.0f", &res.WallS) }},
}

const unknown = "unknown"

// figure is unknown if one of the values is.
func figure(format string, values ...*float64) string {
	args := make([]any, 0, len(values))
	for _, v := range values {
		if v == nil {
			return unknown
		}
		args = append(args, *v)
	}
	return fmt.Sprintf(format, args...)
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
