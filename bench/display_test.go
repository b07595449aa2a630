package bench

import (
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/handshakes"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
)

func TestEveryFigureIsInItsColumn(t *testing.T) {
	r := row{Second: result.Second{T: 1, Ready: 2, Lost: 25, Attempts: 4, Established: 5, Failed: 26, Goodput: 6, Pings: 7, Pongs: 8, Unanswered: 27,
		RTTp50: new(9.0), RTTp99: new(10.0), RTTMax: new(28.0), LateP99: new(29.0),
		Sent: 11, Acknowledged: 12, Delivered: 13, Undelivered: 14, MessageP50: new(15.0), MessageP99: new(16.0), DeliverP50: new(17.0), DeliverP99: new(18.0),
		Muted: 19, Evicted: 20, Early: 21, False: 22, StormClients: 23, StormBack: 24}, started: 3}
	names, values := strings.Split(strings.TrimSpace(csvHeader), ","), strings.Split(strings.TrimSpace(r.csv()), ",")
	want := "t_s=1.000 ready=2 started=3 lost_per_s=25 attempts_per_s=4 established_per_s=5 failed_per_s=26 goodput_per_s=6 pings_per_s=7 pongs_per_s=8 unanswered=27 " +
		"rtt_p50_ms=9.00 rtt_p99_ms=10.00 rtt_max_ms=28.00 late_p99_ms=29.00 " +
		"sent_per_s=11 acknowledged_per_s=12 delivered_per_s=13 undelivered_per_s=14 message_p50_ms=15.00 message_p99_ms=16.00 deliver_p50_ms=17.00 deliver_p99_ms=18.00 " +
		"muted=19 evicted=20 early=21 false=22 storm_clients=23 storm_back=24"
	var got []string
	for i := range min(len(names), len(values)) {
		got = append(got, names[i]+"="+values[i])
	}
	if len(names) != len(values) || strings.Join(got, " ") != want {
		t.Errorf("%d names, %d values:\n%s, want\n%s", len(names), len(values), strings.Join(got, " "), want)
	}
}

func TestASecondOfHandshakesTellsOfThose(t *testing.T) {
	r := row{Second: result.Second{T: 1}}
	took := tally.NewHist()
	took.Record(time.Millisecond)
	if err := r.shaken(handshakes.Recent{Ended: 120, Latency: took}); err != nil {
		t.Fatal(err)
	}
	if text := r.text(8); !strings.Contains(text, "120 handshakes/s  p50 1.0 p99 1.0 ms") || strings.Contains(text, "ready") || strings.Contains(text, "pings") {
		t.Errorf("it says %q", text)
	}
}
