package web

import (
	"fmt"
	"net/http"

	"github.com/stormwheel/stormwheel/messaging"
)

// room is what the node knows of one.
type room struct {
	Room    string `json:"room"`
	Members int    `json:"members"` // sessions
	Epoch   string `json:"epoch"`   // 16 hexadecimal digits
	Offset  uint64 `json:"offset"`  // of its latest message
	Home    string `json:"home,omitempty"`
	Partial bool   `json:"partial,omitempty"` // a node did not answer
}

func roomOf(st messaging.RoomState) room {
	return room{st.Name, st.Members, fmt.Sprintf("%016x", st.Position.Epoch), st.Position.Offset, st.Home, st.Partial}
}

// roomPage is a page of rooms.
type roomPage struct {
	Rooms   []room `json:"rooms"`
	Count   int    `json:"count"` // of all pages
	After   string `json:"after,omitempty"`
	Partial bool   `json:"partial,omitempty"` // a node did not answer
}

func (c *call) listRooms() reply {
	after, limit, err := c.page(roomList)
	if err != nil {
		return c.failed(err)
	}
	p, err := c.hub.Rooms(c.ctx, c.query.Get("prefix"), after, limit)
	if err != nil {
		return c.failed(err)
	}
	page := roomPage{Rooms: []room{}, Count: p.Count, Partial: p.Partial}
	for _, st := range p.Rooms {
		page.Rooms = append(page.Rooms, roomOf(st))
	}
	if p.More {
		page.After = cursor(roomList, p.Rooms[len(p.Rooms)-1].Name)
	}
	return answered(http.StatusOK, page)
}

func (c *call) showRoom() reply {
	st, ok, err := c.hub.Room(c.ctx, c.names["room"])
	switch {
	case err != nil:
		return c.failed(err)
	case !ok && st.Partial:
		return c.failed(messaging.ErrPartial)
	case !ok:
		return noRoom().reply()
	}
	return answered(http.StatusOK, roomOf(st))
}

func noRoom() *Error {
	return failure(codeNoRoom, "No node knows such a room: nobody has joined it or sent to it, or that is long ago.")
}

// memberPage is a page of the users who are in a room.
type memberPage struct {
	Members []string `json:"members"`
	Count   int      `json:"count"` // of all pages
	After   string   `json:"after,omitempty"`
	Partial bool     `json:"partial,omitempty"` // a node did not answer
}

func (c *call) listMembers() reply {
	after, limit, err := c.page(memberList)
	if err != nil {
		return c.failed(err)
	}
	switch st, ok, err := c.hub.Room(c.ctx, c.names["room"]); {
	case err != nil:
		return c.failed(err)
	case !ok && !st.Partial:
		return noRoom().reply()
	}
	p, err := c.hub.Members(c.ctx, c.names["room"], after, limit)
	if err != nil {
		return c.failed(err)
	}
	return answered(http.StatusOK, memberPage{append([]string{}, p.Names...), p.Count, next(memberList, p.Names, p.More), p.Partial})
}
