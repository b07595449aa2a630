package web

import (
	"net/http"
	"net/url"
	"strings"
)

// route is a path for a method. What stands in braces is one part of a path, whatever it holds.
type route struct {
	method, path string
	query        []string // the parameters that it takes
	do           func(*call) reply
}

var (
	pages    = []string{"after", "limit"}
	prefixes = []string{"after", "limit", "prefix"}
)

// routes are all there are. The test of openapi.yaml holds it to them.
var routes = []route{
	{"GET", "/v1/openapi.yaml", nil, (*call).openAPI},
	{"POST", "/v1/broadcasts", nil, (*call).broadcast},
	{"GET", "/v1/rooms", prefixes, (*call).listRooms},
	{"GET", "/v1/rooms/{room}", nil, (*call).showRoom},
	{"GET", "/v1/rooms/{room}/members", pages, (*call).listMembers},
	{"POST", "/v1/rooms/{room}/messages", nil, (*call).pushRoom},
	{"GET", "/v1/sessions", pages, (*call).listSessions},
	{"GET", "/v1/sessions/{session}", nil, (*call).showSession},
	{"POST", "/v1/sessions/{session}/kick", nil, (*call).kickSession},
	{"POST", "/v1/sessions/{session}/move", nil, (*call).moveSession},
	{"GET", "/v1/users", prefixes, (*call).listUsers},
	{"GET", "/v1/users/{user}", nil, (*call).showUser},
	{"POST", "/v1/users/{user}/kick", nil, (*call).kickUser},
	{"POST", "/v1/users/{user}/messages", []string{"wait"}, (*call).pushUser},
	{"POST", "/v1/users/{user}/move", nil, (*call).moveUser},
}

// match finds the route of a path, which is as it was written, escapes included: a slash in a name is %2F.
// allowed are the methods that the path takes, if the request's is none of them.
func match(method, path string) (to *route, names map[string]string, allowed string) {
	if method == http.MethodHead {
		method = http.MethodGet // net/http leaves the body out
	}
	parts := strings.Split(path, "/")
	var others []string
	for i := range routes {
		found, ok := routes[i].names(parts)
		switch {
		case !ok:
		case routes[i].method == method:
			return &routes[i], found, ""
		default:
			others = append(others, routes[i].method)
		}
	}
	return nil, nil, strings.Join(others, ", ")
}

func (to *route) names(parts []string) (names map[string]string, ok bool) {
	want := strings.Split(to.path, "/")
	if len(want) != len(parts) {
		return nil, false
	}
	for i, part := range parts {
		part, err := url.PathUnescape(part)
		name, isName := strings.CutPrefix(want[i], "{")
		switch {
		case err != nil, !isName && part != want[i]:
			return nil, false
		case isName:
			if names == nil {
				names = make(map[string]string)
			}
			names[strings.TrimSuffix(name, "}")] = part
		}
	}
	return names, true
}
