package bench

import (
	"math"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

func TestAStepRampClimbsInPlateausOfEqualLength(t *testing.T) {
	c := swarmConfig{Conns: 1500, Rate: 500, Profile: "step", Steps: 5, Seed: 3}
	at := dueTimes(c.arrivals())
	// 100, 200, ... 500 a second, one second each.
	counts := make([]int, 6)
	for i, a := range at {
		if i > 0 && a < at[i-1] {
			t.Fatalf("arrival %d at %v, the one before at %v", i, a, at[i-1])
		}
		counts[int(a.Seconds())]++
	}
	if want := []int{100, 200, 300, 400, 500, 0}; !slices.Equal(counts, want) {
		t.Errorf("arrivals by second: %v, want %v", counts, want)
	}
	linear := swarmConfig{Conns: 1500, Rate: 500, Seed: 3}
	c.Steps = 1
	for i, a := range dueTimes(c.arrivals()) {
		if d := a - dueTimes(linear.arrivals())[i]; d.Abs() > time.Microsecond {
			t.Fatalf("one plateau is the linear profile; arrival %d differs by %v", i, d)
		}
		if i == 50 {
			break
		}
	}
}

func TestAPoissonRampHasExponentialGaps(t *testing.T) {
	c := swarmConfig{Conns: 20_000, Rate: 1000, Profile: "poisson", Seed: 3}
	at := dueTimes(c.arrivals())
	if !slices.Equal(at, dueTimes(c.arrivals())) || !slices.IsSorted(at) {
		t.Fatal("arrivals are not of the seed, or not in order")
	}
	var gaps []float64
	for i := 1; i < len(at); i++ {
		gaps = append(gaps, (at[i]-at[i-1]).Seconds()*c.Rate)
	}
	slices.Sort(gaps)
	// Quantiles of the exponential distribution of mean 1: -ln(1-q).
	for _, q := range []float64{0.1, 0.5, 0.9} {
		if got, want := gaps[int(q*float64(len(gaps)))], -math.Log(1-q); math.Abs(got-want) > 0.1*want {
			t.Errorf("quantile %v of the gaps is %.3f of the mean, want %.3f", q, got, want)
		}
	}
}

func TestRampReportsTheLatencyOfEveryClient(t *testing.T) {
	for workers, profile := range map[int]string{1: "poisson", 2: "step"} {
		leavesNothing(t)
		cfg := inWorkers(t, workers, "good", "ramp", 1, 200)
		cfg.Profile = profile
		r, err := Run(t.Context(), cfg, View{})
		if err != nil {
			t.Fatalf("%s: %v", profile, err)
		}
		if p := r.Connect.LatencyMs; p == nil || p.P50 <= 0 || p.P50 > p.Max || r.Connect.Failed != 0 || r.Conns.Lost != 0 {
			t.Errorf("%s: connect %+v, latency %+v", profile, r.Connect, p)
		}
		h, err := hdrhistogram.Decode([]byte(r.Detail.Histograms["connect"]))
		if err != nil || h.TotalCount() != 200 {
			t.Errorf("%s: the histogram of latencies: %v, %d entries; want one a client", profile, err, h.TotalCount())
		}
	}
}

// The latency counts from the intended time: a server that stalls shows in the percentiles
// of all that were to come meanwhile.
func TestAStalledServerShowsInTheConnectLatency(t *testing.T) {
	const stall = 400 * time.Millisecond
	from := time.Now()
	f := &fakeNode{}
	f.meet = func(*net.TCPConn, int) bool {
		time.Sleep(time.Until(from.Add(stall)))
		return false
	}
	startFake(t, f)
	s, finish := startSwarm(t, 100, func(c *swarmConfig) { c.Rate = 1000 }, f) // all within 100 ms
	waitFor(t, "all are ready", func() bool { return s.Ready() == 100 })
	p := finish().Connect.percentiles()
	if p == nil || p.P50 < ms(stall)-100 {
		t.Errorf("latency %+v, want at least 300 ms of half of them", p)
	}
}

func TestARampFailsAServerThatTurnsClientsAway(t *testing.T) {
	leavesNothing(t)
	cfg := spawned(t, "shy", "ramp", 1, 40)
	r, err := Run(t.Context(), cfg, View{})
	if ExitCode(err) != ExitThreshold || r.Connect.Failed == 0 || r.Connect.Failures.total() != r.Connect.Failed {
		t.Errorf("exit %d, %v, connect %+v; want failed attempts and a failed threshold", ExitCode(err), err, r.Connect)
	}
}
