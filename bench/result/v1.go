package result

import (
	"encoding/json"
	"fmt"
)

// schemaV1 is that of results before v2. Their round trips and arrivals count from the moment
// they were due, and nothing is known of PINGs that were not answered.
const schemaV1 = "stormwheel.bench/v1"

// Parse reads a result of this schema, or an older one to be drawn: its figures stand
// where those of the same meaning do now, and Schema stays what it was.
func Parse(text []byte) (*Result, error) {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("this is no result of bench: %w", err)
	}
	if head.Schema != Schema && head.Schema != schemaV1 {
		return nil, fmt.Errorf("its schema is %q, this binary reads %q and %q", head.Schema, Schema, schemaV1)
	}
	r := new(Result)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("this is no result of bench: %w", err)
	}
	if r.Schema == schemaV1 {
		r.fromV1()
	}
	return r, nil
}

// Old reports whether the figures of a result may mean something else than those of today.
func (r *Result) Old() bool { return r.Schema != Schema }

func (r *Result) fromV1() {
	h := &r.Heartbeat
	h.IntendedRTTms, h.RTTms = h.RTTms, h.ActualRTTms
	r.Connect.IntendedLatencyMs = r.Connect.LatencyMs
	if d := r.Detail.Histograms; d != nil {
		d["rtt_intended"], d["rtt"] = d["rtt"], d["rtt_actual"]
		d["connect_intended"] = d["connect"]
	}
	if r.Storm != nil {
		r.Storm.IdealFromS = r.Storm.OutageS
	}
	r.Promises = true // or what the user named instead: v1 does not say
}
