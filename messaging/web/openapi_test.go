package web

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/stormwheel/stormwheel/server"
)

var description = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI)
	if err == nil {
		err = doc.Validate(context.Background())
	}
	return doc, err
})

func describe(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := description()
	if err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	return doc
}

// conforms holds an answer to openapi.yaml, and, where the handler took it, the request as well.
func conforms(t *testing.T, req *http.Request, body string, a answer) {
	t.Helper()
	doc := describe(t)
	to, names, _ := match(req.Method, req.URL.EscapedPath())
	if to == nil {
		var failure any
		a.read(&failure)
		if err := doc.Components.Schemas["Failure"].Value.VisitJSON(failure, openapi3.EnableJSONSchema2020()); err != nil {
			t.Errorf("%s: %s is no Failure: %v", a.what, a.body, err)
		}
		return
	}
	item := doc.Paths.Value(to.path)
	if item == nil || item.GetOperation(to.method) == nil {
		t.Fatalf("openapi.yaml has no %s %s", to.method, to.path)
	}
	in := &openapi3filter.RequestValidationInput{Request: req, PathParams: names,
		Route:   &routers.Route{Spec: doc, Path: to.path, PathItem: item, Method: to.method, Operation: item.GetOperation(to.method)},
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}}
	if a.status < 300 {
		req.Body = io.NopCloser(strings.NewReader(body))
		if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil {
			t.Errorf("%s was taken, and openapi.yaml has no such request: %v", a.what, err)
		}
	}
	if to.path == "/v1/openapi.yaml" && a.status == 200 {
		return // no JSON
	}
	if err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{RequestValidationInput: in,
		Status: a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body)), Options: in.Options}); err != nil {
		t.Errorf("%s: openapi.yaml has no answer %d %s: %v", a.what, a.status, a.body, err)
	}
}

// The file has each route with the parameters that it takes, and nothing else.
func TestTheFileAndTheRoutesAgree(t *testing.T) {
	doc := describe(t)
	want := make(map[string]string)
	for _, to := range routes {
		params := slices.Clone(to.query)
		for part := range strings.SplitSeq(to.path, "/") {
			if name, ok := strings.CutPrefix(part, "{"); ok {
				params = append(params, "{"+name)
			}
		}
		if strings.HasSuffix(to.path, "/messages") || to.path == "/v1/broadcasts" {
			params = append(params, "Idempotency-Key")
		}
		slices.Sort(params)
		want[to.method+" "+to.path] = strings.Join(params, " ")
	}
	got := make(map[string]string)
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			var params []string
			for _, p := range slices.Concat(item.Parameters, op.Parameters) {
				if p.Value.In == "path" {
					params = append(params, "{"+p.Value.Name+"}")
				} else {
					params = append(params, p.Value.Name)
				}
			}
			slices.Sort(params)
			got[method+" "+path] = strings.Join(params, " ")
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("openapi.yaml has %v; the routes are %v", got, want)
	}
	codes := enumOf(doc.Components.Schemas["Failure"].Value.Properties["error"].Value.Properties["code"])
	if all := slices.Sorted(maps.Keys(statuses)); !slices.Equal(codes, all) {
		t.Errorf("openapi.yaml has the codes %v; there are %v", codes, all)
	}
	transports := enumOf(doc.Components.Schemas["Session"].Value.Properties["transport"])
	all := []string{string(server.TransportTCP), string(server.TransportTLS), string(server.TransportUnix), string(server.TransportWebSocket), string(server.TransportSecureWebSocket)}
	if slices.Sort(all); !slices.Equal(transports, all) {
		t.Errorf("openapi.yaml has the transports %v; there are %v", transports, all)
	}
}

// What reads YAML 1.2 alone knows no merge keys.
func TestTheFileHasNoMergeKeys(t *testing.T) {
	if bytes.Contains(OpenAPI, []byte("<<:")) {
		t.Error("openapi.yaml merges one mapping into another")
	}
}

func enumOf(of *openapi3.SchemaRef) (all []string) {
	for _, name := range of.Value.Enum {
		all = append(all, name.(string))
	}
	slices.Sort(all)
	return all
}

func TestTheFileIsServed(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		a := r.ask("GET", "/v1/openapi.yaml", "").is(200)
		if kind := a.header.Get("Content-Type"); kind != "application/yaml" || !bytes.Equal([]byte(a.body), OpenAPI) {
			t.Errorf("%s, %d bytes", kind, len(a.body))
		}
	})
}
