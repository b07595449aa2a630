package messaging

// maxPage is how many bytes of bodies Next and Due return at once, beside the first.
const maxPage = 64 << 10

// page gathers what Next and Due return.
type page struct {
	records []Record
	bytes   int
}

// wants tells whether one more, whose body has so many bytes, belongs to the page.
func (p *page) wants(max, body int) bool {
	return len(p.records) < max && (len(p.records) == 0 || p.bytes+body <= maxPage)
}

func (p *page) add(r Record) {
	p.records = append(p.records, r)
	p.bytes += len(r.Body)
}
