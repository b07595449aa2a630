package result

import (
	"strings"
	"time"
)

// Outlook is what can be said of a threshold before the end.
type Outlook struct {
	Expr   string
	Actual *float64 // as of now; nil: there is nothing yet, or nobody knows before the end
	State  OutlookState
}

// OutlookState: what fails for good is known at once; what holds may still fail.
type OutlookState uint8

const (
	Open   OutlookState = iota // does not hold now, and still may
	Holds                      // would hold if the run ended now
	Failed                     // whatever comes
)

// told are the paths of a Result that are known while the run goes on; true: the value only
// grows.
var told = map[string]bool{
	"wall_s": true, "conns.target": false, "conns.peak": true, "conns.end": false, "conns.lost": true,
	"conns.losses.closed": true, "conns.losses.reset": true, "conns.losses.silence": true,
	"conns.losses.goaway": true, "conns.losses.pong_timeout": true, "conns.losses.protocol": true,
	"connect.attempts": true, "connect.established": true, "connect.failed": true,
	"connect.failures.refused": true, "connect.failures.reset": true, "connect.failures.closed": true,
	"connect.failures.connect_timeout": true, "connect.failures.welcome_timeout": true, "connect.failures.busy": true,
	"connect.failures.goaway": true, "connect.failures.protocol": true, "connect.failures.ports": true,
	"connect.failures.descriptors": true, "connect.failures.memory": true, "connect.failures.other": true,
	"heartbeat.sent": true, "heartbeat.answered": true, "heartbeat.missed": true, "heartbeat.unanswered": true,
	"heartbeat.rtt_ms.p50": false, "heartbeat.rtt_ms.p90": false, "heartbeat.rtt_ms.p99": false,
	"heartbeat.rtt_ms.p999": false, "heartbeat.rtt_ms.max": true,
	"storm.clients": true, "storm.back": false, "storm.ideal_s": false,
	"storm.t50_s": false, "storm.t95_s": false, "storm.t99_s": false, "storm.t100_s": false,
	"eviction.expected": true, "eviction.observed": true, "eviction.early": true, "eviction.false": true,
	"eviction.generator_fault": true, "eviction.lateness_ms.min": false, "eviction.lateness_ms.p50": false,
	"eviction.lateness_ms.p99": false, "eviction.lateness_ms.max": true,
	"generator.lost_workers": true, "generator.late_ms.p50": false, "generator.late_ms.p99": false, "generator.late_ms.max": true,
}

// Foresee judges a result that is not complete. since is the time from t0, 0 before a storm.
func Foresee(soFar *Result, thresholds []Threshold, since time.Duration) []Outlook {
	seen, err := evaluate(soFar, thresholds)
	if err != nil {
		return nil
	}
	out := make([]Outlook, len(seen))
	for i, t := range thresholds {
		out[i].Expr = t.Expr
		path := strings.Join(t.path, ".")
		grows, known := told[path]
		if !known && t.path[0] != "server" {
			continue
		}
		actual := seen[i].Actual
		out[i].Actual = actual
		if actual == nil && since > 0 && strings.HasPrefix(path, "storm.t") {
			// They are not all back, so that the figure will be above the time so far.
			actual, grows = new(since.Seconds()), true
		}
		switch {
		case seen[i].OK:
			out[i].State = Holds
		case grows && actual != nil && t.exceeded(*actual):
			out[i].State = Failed
		}
	}
	return out
}

// exceeded: v is too large, so that a larger one will not do either.
func (t Threshold) exceeded(v float64) bool {
	switch t.op {
	case "<":
		return v >= t.want
	case "<=", "==":
		return v > t.want
	}
	return false
}
