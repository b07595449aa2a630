package server

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestRatesAreFinite(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for field, cfg := range map[string]Config{
			"AdmitRate":    {AdmitRate: bad},
			"FailoverRate": {FailoverRate: bad},
			"AddrRate":     {AddrRate: bad},
			"IDRate":       {IDRate: bad},
		} {
			if err := cfg.withDefaults().validate(); err == nil || !strings.Contains(err.Error(), field) {
				t.Errorf("%s %v: validate() = %v, want an error that names it", field, bad, err)
			}
		}
	}
}

// A client speaks every codec.MinInterval at most and leaves a fifth of the timeout: what it
// could not keep to is refused, by name, and what it just can is not.
func TestTermsThatNoClientCanKeepAreRefused(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		heartbeat, timeout time.Duration
		field              string
	}{
		{20 * ms, 50 * ms, "Heartbeat"},
		{20 * ms, time.Minute, "Heartbeat"},
		{codec.MinInterval - 1, time.Minute, "Heartbeat"},
		{codec.MinInterval, codec.MinInterval + codec.MinMargin - 1, "Timeout"},
		{100 * ms, 110 * ms, "Timeout"},
		{450 * ms, 499 * ms, "Timeout"},
		{codec.MinInterval, codec.MinInterval + codec.MinMargin, ""},
		{450 * ms, 500 * ms, ""},
		{30 * time.Second, 31 * time.Second, ""},
		{30 * time.Second, 0, ""},
	} {
		err := Config{Heartbeat: tt.heartbeat, Timeout: tt.timeout, Tick: 5 * ms}.withDefaults().validate()
		if (err == nil) != (tt.field == "") || err != nil && !strings.HasPrefix(err.Error(), "server: "+tt.field+" must be at least ") {
			t.Errorf("heartbeat %v, timeout %v: %v, want %q refused", tt.heartbeat, tt.timeout, err, tt.field)
		}
	}
}

func TestConfigErrorsNameTheField(t *testing.T) {
	for field, cfg := range map[string]Config{
		"Timeout":    {Heartbeat: 5 * time.Second, Timeout: 5 * time.Second},
		"Tick":       {Tick: time.Microsecond},
		"Timeout (":  {Tick: time.Millisecond, Timeout: 5 * time.Hour}, // to the wheel it would never pass
		"Loops":      {Loops: 257},
		"MaxConns":   {MaxConns: -1},
		"MaxFrame":   {MaxFrame: 100},
		"Node":       {Node: string(make([]byte, 65))},
		"Node:":      {Node: "a\nb"},
		"alternate":  {Alternates: []string{"nowhere"}},
		"host:port":  {Alternates: []string{"a,b:1"}}, // clients would read two
		"Duplicates": {Duplicates: Refuse + 1},
		"MaxSameID":  {MaxSameID: -1},
		"Heartbeat":  {Heartbeat: -1},
		"AdmitRate":  {AdmitRate: -2},
		"MaxQueued":  {MaxQueued: 1},
		"Unsettled":  {UnsettledBytes: 60 << 10}, // no frame fits
		"Alternates": {Alternates: []string{string(make([]byte, 1024)) + ":1"}},
	} {
		if _, err := New(cfg); err == nil || !bytes.Contains([]byte(err.Error()), []byte(field)) {
			t.Errorf("%s: error %v does not name it", field, err)
		}
	}
}
