package result

import (
	"encoding/json"
	"io"
	"time"
)

// Schema names the shape of Result. It changes when a field changes its meaning; new
// fields alone do not change it.
const Schema = "stormwheel.bench/v2"

// Result is the one JSON object of a run. A nil pointer is null: the figure makes no
// sense in this scenario, was not reached, or could not be read here. Milliseconds and
// seconds are floating point; everything else counts whole things.
//
// The tag early says of a figure that it is known while the run goes on: it only "grows", or it
// "moves" either way.
type Result struct {
	Schema   string    `json:"schema"`
	Scenario string    `json:"scenario"`
	Seed     uint64    `json:"seed"`
	Started  time.Time `json:"started"`
	WallS    float64   `json:"wall_s" early:"grows"`
	// Interrupted is true when the run was cut short; its figures then cover what ran.
	Interrupted bool       `json:"interrupted"`
	CutShort    *string    `json:"cut_short"` // by what, if not by the user's wish
	Build       Build      `json:"build"`
	Terms       *Terms     `json:"terms"` // null for a target that was not spawned
	Load        Load       `json:"load"`
	Conns       Conns      `json:"conns"`
	Connect     Connect    `json:"connect"`
	Heartbeat   Heartbeat  `json:"heartbeat"`
	Messages    *Messages  `json:"messages"`  // --send, --deliver, talk
	Churn       *Churn     `json:"churn"`     // churn
	Soak        *Soak      `json:"soak"`      // soak
	FindMax     *FindMax   `json:"find_max"`  // find-max
	Probes      *Probes    `json:"probes"`    // scenarios that strike or silence some clients
	Storm       *Storm     `json:"storm"`     // storm, demo
	Handshake   *Handshake `json:"handshake"` // handshake
	Cohorts     []Cohort   `json:"cohorts"`   // of the storm, with --cohorts
	Eviction    Eviction   `json:"eviction"`  // false evictions count in every scenario
	Server      []Server   `json:"server"`    // one per target, in the order given
	// Scraped are the series of --scrape, by name; null without.
	Scraped    map[string]Scraped `json:"scraped"`
	Generator  Generator          `json:"generator"`
	Memory     Memory             `json:"memory"`
	Kernel     Kernel             `json:"kernel"`
	Promises   bool               `json:"promises"` // false: the scenario's are not judged (--no-promises)
	Thresholds []ThresholdSeen    `json:"thresholds"`
	Verdict    Verdict            `json:"verdict"`
	// Repeats are all runs of --repeat, of which the rest of the object is the first with the worst verdict, and Spread
	// is that of their figures; null: one run.
	Repeats []Repeat `json:"repeats"`
	Spread  []Spread `json:"spread"`
	Parts   []Part   `json:"parts"` // of a merge; null: one run
	Detail  Detail   `json:"detail"`
}

// Verdict sums a run up.
type Verdict string

const (
	Pass    Verdict = "pass"    // every promise and threshold held
	Fail    Verdict = "fail"    // a threshold failed
	Invalid Verdict = "invalid" // the generator's own fault, or cut short: the figures prove nothing
)

// Terms are those of the spawned nodes, --node-arg included. A session's timeout is the
// node's; it is seen within two ticks.
type Terms struct {
	HeartbeatMs float64 `json:"heartbeat_ms"`
	TimeoutMs   float64 `json:"timeout_ms"`
	TickMs      float64 `json:"tick_ms"`
}

// WriteJSON writes the object, indented, with a newline.
func (r *Result) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false) // threshold expressions hold < and >
	return enc.Encode(r)
}
