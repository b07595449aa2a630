package prom

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"github.com/stormwheel/stormwheel/internal/reactor"
	"github.com/stormwheel/stormwheel/server"
)

type fixed server.Stats

func (f fixed) Stats() server.Stats { return server.Stats(f) }

func gather(t *testing.T, st server.Stats) []*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(NewCollector(fixed(st))); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func value(m *dto.Metric) float64 { return m.GetGauge().GetValue() + m.GetCounter().GetValue() }

func TestNamesAreGoodPrometheusStyle(t *testing.T) {
	problems, err := promlint.NewWithMetricFamilies(gather(t, server.Stats{})).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// Every number of Stats is some metric's value, so that none is forgotten.
func TestEveryNumberOfStatsIsAMetric(t *testing.T) {
	fields := reflect.VisibleFields(reflect.TypeFor[server.Stats]())
	for _, f := range fields {
		var st server.Stats
		want := 7777.0
		switch v := reflect.ValueOf(&st).Elem().FieldByIndex(f.Index); {
		case f.Anonymous || f.Name == "SnapshotAt": // what Age says
			continue
		case v.Type() == reflect.TypeFor[time.Duration]():
			v.SetInt(int64(7777 * time.Second))
		case v.CanInt():
			v.SetInt(7777)
		case v.CanUint():
			v.SetUint(7777)
		default: // Node, MemoryState and Closes are not numbers
			continue
		}
		found := 0
		for _, family := range gather(t, st) {
			for _, m := range family.Metric {
				if value(m) == want {
					found++
				}
			}
		}
		if found != 1 {
			t.Errorf("Stats.%s is the value of %d metrics, want one", f.Name, found)
		}
	}
}

func TestClosesAreLabelledByTheClosedSetOfReasons(t *testing.T) {
	var st server.Stats
	st.Closes[reactor.ReasonBye] = 3
	reasons := 0
	for _, family := range gather(t, st) {
		for _, m := range family.Metric {
			if len(m.Label) == 0 {
				continue
			}
			if family.GetName() != "stormwheel_closed_connections_total" || m.Label[0].GetName() != "reason" || len(m.Label) != 1 {
				t.Errorf("%s has the labels %v", family.GetName(), m.Label)
			}
			reasons++
			if by := m.Label[0].GetValue(); (by == "bye") != (value(m) == 3) {
				t.Errorf("closed by %s: %v", by, value(m))
			}
		}
	}
	if want := len(st.Closes) - 1; reasons != want {
		t.Errorf("%d reasons, want all %d", reasons, want)
	}
}

func TestMemoryStateIsANumber(t *testing.T) {
	for i, state := range []string{"fine", "refuse", "shed"} {
		for _, family := range gather(t, server.Stats{MemoryState: state}) {
			if strings.HasSuffix(family.GetName(), "memory_state") && value(family.Metric[0]) != float64(i) {
				t.Errorf("%s is %v, want %d", state, value(family.Metric[0]), i)
			}
		}
	}
}
