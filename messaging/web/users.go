package web

import (
	"net/http"
	"time"
)

// user is what the nodes know of one.
type user struct {
	User           string    `json:"user"`
	Online         bool      `json:"online"`
	Devices        []device  `json:"devices"`
	Sessions       []session `json:"sessions"`
	Rooms          []string  `json:"rooms"`
	Queue          queue     `json:"queue"`
	Unacknowledged int       `json:"unacknowledged"`
	Partial        bool      `json:"partial,omitempty"` // a node did not answer
}

// device is a client of a user, as those who watch him see it.
type device struct {
	Client string `json:"client"`
	Online bool   `json:"online"` // false: it went a moment ago, and may come back
}

// queue is what waits for a user.
type queue struct {
	Messages int        `json:"messages"`
	Delayed  int        `json:"delayed"`
	Bytes    int64      `json:"bytes"`
	Oldest   *time.Time `json:"oldest,omitempty"`
}

func (c *call) showUser() reply {
	st, err := c.hub.User(c.ctx, c.names["user"])
	if err != nil {
		return c.failed(err)
	}
	u := user{User: c.names["user"], Online: st.Online, Devices: []device{}, Sessions: []session{}, Rooms: []string{},
		Queue: queue{Messages: st.Waiting.Records, Delayed: st.Waiting.Delayed, Bytes: st.Waiting.Bytes}, Unacknowledged: st.Unacknowledged, Partial: st.Partial}
	if !st.Waiting.Oldest.IsZero() {
		oldest := jsonTime(st.Waiting.Oldest)
		u.Queue.Oldest = &oldest
	}
	for _, d := range st.Devices {
		u.Devices = append(u.Devices, device{d.ID, d.Online})
	}
	u.Rooms = append(u.Rooms, st.Rooms...)
	for _, s := range st.Sessions {
		u.Sessions = append(u.Sessions, sessionOf(s))
	}
	return answered(http.StatusOK, u)
}

// userPage is a page of users who are online.
type userPage struct {
	Users   []string `json:"users"`
	Count   int      `json:"count"` // of all pages
	After   string   `json:"after,omitempty"`
	Partial bool     `json:"partial,omitempty"` // a node did not answer
}

func (c *call) listUsers() reply {
	after, limit, err := c.page(userList)
	if err != nil {
		return c.failed(err)
	}
	p, err := c.hub.Users(c.ctx, c.query.Get("prefix"), after, limit)
	if err != nil {
		return c.failed(err)
	}
	return answered(http.StatusOK, userPage{append([]string{}, p.Names...), p.Count, next(userList, p.Names, p.More), p.Partial})
}

// next is where the page behind these names begins.
func next(list byte, names []string, more bool) string {
	if !more {
		return ""
	}
	return cursor(list, names[len(names)-1])
}
