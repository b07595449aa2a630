package result

import (
	"fmt"
	"reflect"
)

// Load is what the clients were told to do, as far as it decides what the figures mean. What
// is 0 or empty is not for the scenario.
type Load struct {
	Protocol string `json:"protocol"`
	// HeartbeatMs and TimeoutMs are what targets do not say themselves; of spawned nodes Terms
	// has both.
	HeartbeatMs       float64 `json:"heartbeat_ms"`
	TimeoutMs         float64 `json:"timeout_ms"`
	PongTimeoutMs     float64 `json:"pong_timeout_ms"`
	Policy            string  `json:"policy"` // or cohorts
	Profile           string  `json:"profile"`
	Steps             int     `json:"steps"`
	LifetimeS         float64 `json:"lifetime_s"`
	Fraction          float64 `json:"fraction"`
	DeadlineMs        float64 `json:"deadline_ms"`
	Trickle           string  `json:"trickle"`
	TrickleIntervalMs float64 `json:"trickle_interval_ms"`
	FreezeS           float64 `json:"freeze_s"`
	OutageS           float64 `json:"outage_s"`
	Slow              string  `json:"slow"`
	// SendBytes and DeliverBytes are the sizes of messages, one a client each EveryS.
	SendBytes    int     `json:"send_bytes"` // of several sizes the mean
	SendSizes    string  `json:"send_sizes"` // which, if they are several
	DeliverBytes int     `json:"deliver_bytes"`
	EveryS       float64 `json:"every_s"`
	// Where users talk: who they are, what the nodes store in, and when the first node is struck.
	Rooms         int     `json:"rooms"`
	RoomSize      int     `json:"room_size"`
	Speakers      int     `json:"speakers"`
	Devices       int     `json:"devices"`
	Messages      string  `json:"messages"`
	Cluster       bool    `json:"cluster"`
	KillAfterS    float64 `json:"kill_after_s"`
	DrainAfterS   float64 `json:"drain_after_s"`
	RestartAfterS float64 `json:"restart_after_s"`
	Rolling       bool    `json:"rolling"`
	SplitAfterS   float64 `json:"split_after_s"`
	SplitForS     float64 `json:"split_for_s"`
	// Transport is "tls", "ws" or "wss", or empty for plain TCP; ProxyProtocol is the version of the header that
	// each connection began with.
	Transport     string `json:"transport"`
	ProxyProtocol string `json:"proxy_protocol"`
	TLSResume     bool   `json:"tls_resume"` // sessions of TLS were resumed
}

// differs is the first thing in which two loads differ; empty if there is none.
func (l Load) differs(o Load) string {
	one, other := reflect.ValueOf(l), reflect.ValueOf(o)
	for i := range one.NumField() {
		if a, b := one.Field(i).Interface(), other.Field(i).Interface(); a != b {
			return fmt.Sprintf("%s is %s and %s", jsonName(one.Type().Field(i)), shown(a), shown(b))
		}
	}
	return ""
}

// shown is a figure of a load; what was not said is "none".
func shown(v any) string {
	if reflect.ValueOf(v).IsZero() {
		return "none"
	}
	return fmt.Sprint(v)
}
