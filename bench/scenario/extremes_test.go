package scenario

import (
	"errors"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/swarm"
)

// extremes are what no number of a run may choke on.
var extremes = map[reflect.Kind][]any{
	reflect.Int:     {math.MinInt, -1, 1, 2, math.MaxInt32, math.MaxInt32 + 1, 4_000_000_000_000_000_000, math.MaxInt},
	reflect.Uint64:  {uint64(1), uint64(math.MaxUint64)},
	reflect.Float64: {math.Inf(-1), -1.0, -1e-300, math.SmallestNonzeroFloat64, 1e-300, 1e-10, 0.5, 1.0, 1e10, 1e300, math.MaxFloat64, math.Inf(1), math.NaN()},
	reflect.Int64: {time.Duration(math.MinInt64), -time.Nanosecond, time.Nanosecond, time.Microsecond, time.Millisecond, time.Second,
		maxTime, maxTime + 1, 290 * 365 * 24 * time.Hour, time.Duration(math.MaxInt64)},
}

// examples are a run of every scenario and every kind, of spawned nodes and of a target.
func examples() (all []Config) {
	for _, s := range All {
		kinds := []string{""}
		if s.Name() == "storm" {
			kinds = Kinds()
		}
		for _, kind := range kinds {
			cfg := exampleOf(s.Name())
			if kind != "" {
				cfg.Kind = kind
			}
			all = append(all, cfg)
			cfg.Spawn, cfg.Targets = 0, []string{"127.0.0.1:7000"}
			all = append(all, cfg)
			cfg.Protocol = foreign.Echo
			all = append(all, cfg)
		}
		if s.Name() == "trickle" || s.Name() == "halfopen" || s.Name() == "silent" {
			cfg := exampleOf(s.Name())
			if s.Name() == "trickle" {
				cfg.Trickle = "ping"
			}
			cfg.Deadline = time.Second
			all = append(all, cfg)
		}
	}
	return all
}

// Whatever number is said, a run is refused in one sentence or can be prepared: without a
// panic, in no time, and with nothing in it that overflowed.
func TestNoNumberBreaksARun(t *testing.T) {
	tried, fine := 0, 0
	for _, example := range examples() {
		typ := reflect.TypeOf(example)
		for i := range typ.NumField() {
			field := typ.Field(i)
			if !field.IsExported() {
				continue
			}
			for _, v := range extremes[field.Type.Kind()] {
				if reflect.TypeOf(v) != field.Type {
					continue
				}
				cfg := example
				reflect.ValueOf(&cfg).Elem().Field(i).Set(reflect.ValueOf(v))
				tried++
				if bearable(t, cfg, field.Name, v) {
					fine++
				}
			}
		}
		for _, v := range extremes[reflect.Int64] {
			for _, ph := range []Phase{{Do: "hold", For: v.(time.Duration)}, {Do: "churn", For: v.(time.Duration)}, {Do: "storm", Kind: "freeze", For: v.(time.Duration)}} {
				if example.Scenario == "phases" {
					cfg := example
					cfg.Conns, cfg.Phases = 0, []Phase{arriving(10), ph}
					if ph.Do != "storm" {
						cfg.Phases = append(cfg.Phases, slices.Repeat([]Phase{ph}, 400)...)
					}
					tried++
					bearable(t, cfg, "phase "+ph.Do, v)
				}
			}
		}
		if example.Scenario != "phases" {
			continue
		}
		for _, v := range extremes[reflect.Int] {
			for _, ph := range []Phase{arriving(v.(int)), {Do: "ramp", Clients: 10, Profile: "step", Steps: v.(int)}} {
				cfg := example
				cfg.Conns, cfg.Phases = 0, []Phase{ph, ph, {Do: "silence", Fraction: 0.5}, {Do: "storm", Kind: "cut"}}
				bearable(t, cfg, "phase ramp", v)
				cfg.Phases = append([]Phase{ph}, cfg.Phases[2:]...)
				bearable(t, cfg, "one phase ramp", v)
			}
		}
		for _, v := range extremes[reflect.Float64] {
			for _, ph := range []Phase{{Do: "ramp", Clients: 10, Rate: v.(float64)}, {Do: "silence", Fraction: v.(float64)}, {Do: "storm", Kind: "cut", Fraction: v.(float64)}} {
				cfg := example
				cfg.Conns, cfg.Phases = 0, []Phase{arriving(10), ph}
				bearable(t, cfg, "phase "+ph.Do, v)
			}
		}
	}
	if tried < 2000 || fine < tried/20 { // a flag of one scenario is refused by all others
		t.Errorf("%d were tried, %d can be run", tried, fine)
	}
}

// bearable reports whether a run can be prepared.
func bearable(t *testing.T, cfg Config, name string, v any) bool {
	t.Helper()
	about := []any{cfg.Scenario, cfg.Kind, cfg.Protocol, len(cfg.Targets), name, v}
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%v: panic: %v", about, p)
		}
	}()
	began := time.Now()
	p, err := Prepare(t.Context(), cfg)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("%v: it took %v to prepare", about, took)
	}
	if err != nil {
		var exit *result.ExitError
		if !errors.As(err, &exit) || exit.Code != result.ExitUsage && exit.Code != result.ExitImpossible || strings.Contains(err.Error(), "\n") || len(err.Error()) > 400 {
			t.Errorf("%v: %v; want a sentence", about, err)
		}
		return false
	}
	for _, th := range p.Judged {
		if _, n := th.Parts(); math.IsInf(n, 0) || n < 0 && !strings.Contains(th.Expr, "growth") {
			t.Errorf("%v: it promises %s", about, th.Expr)
		}
	}
	if l := p.Load(); math.IsInf(l.LifetimeS, 0) || l.PongTimeoutMs < 0 || l.FreezeS < 0 || l.OutageS < 0 {
		t.Errorf("%v: load %+v", about, l)
	}
	if p.Conns > 1000 { // what follows is the same for fewer
		return true
	}
	c := p.Swarm()
	if len(c.Endpoints) == 0 {
		c.Endpoints = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:2")}
	}
	if c.Tricklers > 0 {
		if shortest, longest := p.trickleTime(); shortest < 0 || longest < shortest {
			t.Errorf("%v: a frame takes %v to %v", about, shortest, longest)
		}
	}
	last := time.Duration(0)
	c.Arrivals().Each(func(_ int, due time.Duration) {
		if due < 0 || due > maxTime*2 {
			t.Fatalf("%v: a client is due after %v", about, due)
		}
		last = max(last, due)
	})
	s, err := swarm.New(c)
	if err != nil {
		t.Errorf("%v: %v", about, err)
		return false
	}
	s.Abandon()
	return true
}
