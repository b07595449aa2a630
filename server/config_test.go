package server

import (
	"math"
	"strings"
	"testing"
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
