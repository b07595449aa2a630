package tally

import (
	"testing"
	"time"
)

func TestRecoveryMarksComeWhenSoManyAreBackAndGoWhenTheyAreLostAgain(t *testing.T) {
	v := Recovery{Since: 10 * time.Second, Clients: 200} // on the node that is struck
	at := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	v.Update(at(10.1), 20, 20)
	if v.Clients != 200 || v.T50 != nil {
		t.Errorf("all of the first 20: %+v, want no mark: 200 are to come", v)
	}
	v.Update(at(11), 200, 100)
	v.Update(at(12), 200, 199)
	if v.T50 == nil || *v.T50 != time.Second || *v.T95 != 2*time.Second || *v.T99 != 2*time.Second || v.T100 != nil {
		t.Errorf("199 of 200: %+v", v)
	}
	v.Update(at(13), 200, 120)
	v.Update(at(14), 200, 200)
	if *v.T50 != time.Second || *v.T95 != 4*time.Second || *v.T100 != 4*time.Second {
		t.Errorf("after a second wave: T50 %v, T95 %v, T100 %v", *v.T50, *v.T95, *v.T100)
	}
}
