package report

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// Limits that are drawn beside what they limit.

// target is how many clients there were to be.
func target(x *result.Result) (v float64, name string, ok bool) {
	return float64(x.Conns.Target), "target", x.Conns.Target > 0
}

// lateLimit is how late the load test may be; what is far below it in all seconds is not drawn beside it.
func lateLimit(x *result.Result) (v float64, name string, ok bool) {
	v = x.Generator.LateLimitMs
	if v == 0 {
		v = 20 // as in results that do not say
	}
	late := x.Generator.LateMs
	ok = late != nil && late.P99 > v/5
	for _, s := range x.Detail.Seconds {
		ok = ok || s.LateP99 != nil && *s.LateP99 > v
	}
	return v, "limit", ok
}

// rttLimit is the first threshold on a percentile of the round trips.
func rttLimit(x *result.Result) (v float64, name string, ok bool) {
	for _, seen := range x.Thresholds {
		t, err := result.ParseThreshold(seen.Expr)
		if err != nil {
			continue
		}
		path, want := t.Parts()
		for _, p := range []string{"p50", "p99", "max"} {
			if path == "heartbeat.rtt_ms."+p && want > 0 {
				return want, p + " asked for", true
			}
		}
	}
	return 0, "", false
}

// tooLong is from when on a PING waits too long.
func (r Run) tooLong() string {
	ms := 1000.0
	if patience := r.Result.Load.PongTimeoutMs; patience > 0 {
		ms = min(ms, patience/2)
	}
	return fmt.Sprintf("PINGs waiting over %s ms", plot.Number(ms, 1))
}
