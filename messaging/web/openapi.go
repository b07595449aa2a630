package web

import (
	_ "embed"
	"net/http"
)

// OpenAPI describes the paths, in YAML, as OpenAPI 3.1 has it.
//
//go:embed openapi.yaml
var OpenAPI []byte

func (c *call) openAPI() reply {
	return reply{status: http.StatusOK, kind: "application/yaml", body: OpenAPI}
}
