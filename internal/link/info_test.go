package link

import (
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// A number without a name is said once.
func TestCodesAreNamed(t *testing.T) {
	for want, e := range map[string]*CodeError{
		`server says draining (3201)`:     {Code: codec.CodeDraining},
		`server says kicked (3009): "no"`: {Code: codec.CodeKicked, Reason: "no"},
		`server says code 3900`:           {Code: 3900},
		`server says code 3900: "banned"`: {Code: 3900, Reason: "banned"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
