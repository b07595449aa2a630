package result

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// meanings are what the figures count of which scenarios promise something.
var meanings = map[string]string{
	"conns.end":                     "sessions at the end",
	"conns.peak":                    "most sessions at once",
	"conns.lost":                    "sessions lost",
	"conns.ghosts":                  "connections that the nodes hold and nobody has",
	"connect.failed":                "attempts that did not reach WELCOME",
	"connect.latency_ms.p99":        "ms from connect to WELCOME, p99",
	"connect.rate_per_s":            "clients welcomed a second",
	"heartbeat.unanswered":          "PINGs without an answer",
	"heartbeat.pending":             "PINGs that still waited for an answer at the end",
	"heartbeat.answered":            "PINGs answered",
	"messages.lost":                 "SENDs without an answer, or acknowledged as safe and not there",
	"messages.refused":              "SENDs refused",
	"messages.acknowledged":         "SENDs acknowledged",
	"messages.doubled":              "messages that came twice, or may have",
	"messages.undelivered":          "publications, or copies of messages, that did not come",
	"messages.delivered":            "publications, or copies of messages, that came",
	"churn.departures":              "sessions that ended by BYE",
	"churn.missing":                 "clients that came for others and were not welcomed",
	"soak.rss_growth":               "growth of the servers' memory",
	"soak.fds_growth":               "growth of the servers' descriptors",
	"find_max.best":                 "greatest load at which the goal held",
	"handshake.ended":               "handshakes that ended well",
	"handshake.failed":              "handshakes that failed",
	"handshake.other":               "handshakes that were resumed, or full, against what was asked for",
	"probes.lost":                   "sessions lost of clients that were left alone",
	"storm.clients":                 "clients hit by the storm",
	"storm.offline":                 "clients that were offline",
	"storm.lost_connection_seconds": "connection-seconds lost",
	"storm.t100_s":                  "s until all were back",
	"storm.attempts_per_success":    "attempts for each that came back",
	"storm.accept_over_pace":        "rate of those who moved, by the node's pace",
	"storm.longest_gap_s":           "s without a return while many waited",
	"storm.ghosts_gone_s":           "s that nodes held connections that nobody had",
	"storm.drain_s":                 "s until the node had ended",
	"eviction.expected":             "clients that were to be evicted",
	"eviction.observed":             "of those, evicted",
	"eviction.overlooked":           "silent clients that were not closed",
	"eviction.early":                "clients evicted before their timeout",
	"eviction.false":                "living clients evicted",
	"eviction.lateness_ms.p99":      "ms from timeout to eviction, p99",
}

// timeMeanings are what times are, whose figures are percentiles.
var timeMeanings = map[string]string{
	"heartbeat.rtt_ms":            "round trip",
	"heartbeat.intended_rtt_ms":   "round trip from the due time",
	"heartbeat.rtt_actual_ms":     "round trip of the answered",
	"connect.latency_ms":          "from connect to WELCOME",
	"connect.intended_latency_ms": "from the intended arrival to WELCOME",
	"messages.latency_ms":         "from a message's due time to the answer",
	"messages.wire_latency_ms":    "from a message's write to the answer",
	"messages.deliver_latency_ms": "from a publication's due time to the client",
	"messages.confirm_latency_ms": "from a message's due time to two ticks",
	"handshake.latency_ms":        "of a handshake",
	"generator.late_ms":           "that the load test was late",
	"eviction.lateness_ms":        "from timeout to eviction",
	"probes.rtt_ms.before":        "round trip of the probes before the blow",
	"probes.rtt_ms.during":        "round trip of the probes from t0 on",
}

// timeMeaning is what a percentile is; empty of other figures.
func timeMeaning(path []string) string {
	last := path[len(path)-1]
	what := timeMeanings[strings.Join(path[:len(path)-1], ".")]
	switch {
	case what == "":
		return ""
	case last == "p999":
		last = "p99.9"
	}
	return "ms " + what + ", " + last
}

// Meaning is what the figure at a path counts, in words; empty if no scenario promises anything of it.
func Meaning(path string) string { return meanings[path] }

var operators = map[string]string{"<": "less than ", "<=": "at most ", ">": "more than ", ">=": "at least ", "==": "", "!=": "anything but "}

// failed is what a threshold met that it did not allow, in words.
func (t Threshold) failed(actual *float64) string {
	by := "asked for"
	if t.Promise {
		by = "promised"
	}
	what, unit := t.what(), ""
	for _, u := range []string{"ms", "s"} {
		if rest, found := strings.CutPrefix(what, u+" "); found {
			what, unit = rest, " "+u
		}
	}
	return fmt.Sprintf("%s: %s%s, %s %s%s%s", what, telling(actual), unit, by, operators[t.op], telling(&t.want), unit)
}

// what its figure counts, in words.
func (t Threshold) what() string {
	path, _ := t.Parts()
	what := meanings[path]
	if what == "" {
		what = timeMeaning(t.path)
	}
	if what == "" {
		what = path
	}
	if t.span != nil {
		what += " in " + t.span.text
	}
	return what
}

// Words are why a threshold failed, and when it broke; empty if it holds.
func (t ThresholdSeen) Words() string {
	switch {
	case t.OK:
		return ""
	case t.Failed == nil: // of an older version
		return "it met " + Number(t.Actual)
	case t.BrokeAtS == nil:
		return *t.Failed
	default:
		return fmt.Sprintf("%s; since second %.0f", *t.Failed, *t.BrokeAtS)
	}
}

// telling is Number with the digits that tell two small figures apart.
func telling(v *float64) string {
	if v == nil || decimals(*v) == 0 || math.Abs(*v) >= 100 {
		return Number(v)
	}
	return strconv.FormatFloat(*v, 'g', 4, 64)
}

// whyFailed has the first threshold that failed, and how many others did.
func whyFailed(r *Result) string {
	var all []string
	for _, t := range r.Thresholds {
		if t.OK || t.Failed == nil {
			continue
		}
		why := fmt.Sprintf("%s (%s)", *t.Failed, strings.TrimSpace(t.Expr))
		if h := r.Handshake; h != nil && h.FirstFailure != nil && len(all) == 0 {
			why += "; the first handshake that failed: " + *h.FirstFailure
		}
		all = append(all, why)
	}
	switch len(all) {
	case 0:
		return ""
	case 1:
		return all[0]
	default:
		return fmt.Sprintf("%s, and %d more", all[0], len(all)-1)
	}
}
