package envelope

// Parse reads a body.
func Parse(body []byte) (Envelope, error) { panic("not yet") }

// Append appends the body that e describes to dst. With an error dst is returned as it was.
func Append(dst []byte, e *Envelope) ([]byte, error) { panic("not yet") }

// Mark sets PossiblyKnown in a body that Append made.
func Mark(body []byte) { panic("not yet") }

// AppendName appends a name to the Content of a Page.
func AppendName(dst, name []byte) []byte { panic("not yet") }

// Names yields the names of a Page's Content.
func Names(content []byte) func(yield func([]byte) bool) { panic("not yet") }
