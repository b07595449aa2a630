package hook

import (
	"slices"

	"github.com/stormwheel/stormwheel/messaging"
)

// maxEventContent bounds the content of an undelivered message that is told, in bytes. Of a larger one its
// size alone is.
const maxEventContent = 4 << 10

// event is what the back end is told. Each kind has the members that its event has.
type event struct {
	Type string `json:"type"`
	Time string `json:"timestamp"`
	User string `json:"user,omitempty"`

	Device  string `json:"device,omitempty"`
	Stamp   string `json:"stamp,omitempty"`
	Devices *int   `json:"devices,omitempty"`

	ID      *messageID `json:"id,omitempty"`
	From    string     `json:"from,omitempty"`
	Taken   string     `json:"taken,omitempty"`
	Durable *bool      `json:"durable,omitempty"`
	Size    *int       `json:"size,omitempty"`
	*content
	Code   uint16 `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
}

type messageID struct {
	Sender      string `json:"sender"`
	Incarnation string `json:"incarnation"`
	Number      uint64 `json:"number"`
}

// Event has the back end be told, if Config.Events has its kind: give it to messaging.Config. It never
// blocks.
func (b *BackEnd) Event(e messaging.Event) {
	if !slices.Contains(b.cfg.Events, e.Kind) {
		return
	}
	if body, err := encode(eventOf(e)); err == nil {
		b.events.add(body)
	}
}

func eventOf(e messaging.Event) event {
	out := event{Type: e.Kind.String(), Time: timeText(e.At), User: e.User, Device: e.Device, Devices: &e.Devices, From: e.From}
	if e.Kind == messaging.EventOnline || e.Kind == messaging.EventOffline {
		out.Stamp = hex(e.Stamp)
		return out
	}
	out.ID, out.Taken = &messageID{e.ID.Sender, hex(e.ID.Incarnation), e.ID.Number}, timeText(e.Taken)
	if e.Kind == messaging.EventUndelivered {
		size := len(e.Content)
		out.Durable, out.Size = &e.Durable, &size
		if size <= maxEventContent {
			c := contentOf(e.Content)
			out.content = &c
		}
	}
	if e.Err != nil {
		out.Code, out.Reason = uint16(e.Err.Code), e.Err.Reason
	}
	return out
}

// The events of the node itself, which frame those of its users.
const (
	nodeStarted = "node_started"
	nodeStopped = "node_stopped"
)
