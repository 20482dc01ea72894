package cloud

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// OpenNebula's error codes (include/Request.h of all four releases) and the
// fault codes of xmlrpc-c that were recorded.
const (
	codeAuthentication = 0x0100
	codeAuthorization  = 0x0200
	codeNoExists       = 0x0400
	codeAction         = 0x0800
	codeAPI            = 0x1000
	codeInternal       = 0x2000

	faultInternal = -500
	faultType     = -501
	faultParse    = -503
	faultMethod   = -506
)

// answer is what a call comes to.
type answer struct {
	value any // string or int; of a success
	code  int // 0 success, negative a fault
	text  string
	obj   int  // fourth element of a failure from 5.10 on: the missing object or -1
	hang  bool // oned never answers
}

// success answers value.
func success(value any) answer { return answer{value: value} }

// failure answers an error about no particular object.
func failure(code int, text string) answer { return answer{code: code, text: text, obj: -1} }

// fault answers an XML-RPC fault.
func fault(code int, text string) answer { return answer{code: code, text: text} }

// errNotCall says that a document is XML but no XML-RPC call.
var errNotCall = errors.New("the document is not a methodCall")

// decodeCall reads a request body. Values become int (int, i4), int64 (i8),
// bool, string, float64 or []any; a struct becomes nil.
func decodeCall(body []byte) (method string, params []any, err error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	root, err := nextStart(d)
	if err != nil {
		return "", nil, err
	}
	if root.Name.Local != "methodCall" {
		return "", nil, errNotCall
	}
	for {
		tok, err := d.Token()
		if err != nil {
			return "", nil, err
		}
		switch el := tok.(type) {
		case xml.EndElement:
			if el.Name.Local == "methodCall" {
				return method, params, trailing(d, method)
			}
		case xml.StartElement:
			switch el.Name.Local {
			case "methodName":
				if method, err = charData(d); err != nil {
					return "", nil, err
				}
			case "value":
				v, err := decodeValue(d)
				if err != nil {
					return "", nil, err
				}
				params = append(params, v)
			}
		}
	}
}

// trailing checks that nothing but white space follows the document element,
// and that there was a method name in it.
func trailing(d *xml.Decoder, method string) error {
	for {
		tok, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && method != "":
			return nil
		case err != nil && !errors.Is(err, io.EOF):
			return err
		}
		if text, ok := tok.(xml.CharData); !ok || len(bytes.TrimSpace(text)) > 0 {
			return errNotCall
		}
	}
}

// nextStart skips to the next start tag.
func nextStart(d *xml.Decoder) (xml.StartElement, error) {
	for {
		tok, err := d.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		if el, ok := tok.(xml.StartElement); ok {
			return el, nil
		}
	}
}

// charData reads text up to the end tag of the element that was just opened.
func charData(d *xml.Decoder) (string, error) {
	var b strings.Builder
	for {
		tok, err := d.Token()
		if err != nil {
			return "", err
		}
		switch el := tok.(type) {
		case xml.CharData:
			b.Write(el)
		case xml.EndElement:
			return b.String(), nil
		case xml.StartElement:
			return "", errNotCall
		}
	}
}

// decodeValue reads the content of a value element up to its end tag. Text
// without a type element is a string.
func decodeValue(d *xml.Decoder) (any, error) {
	var text strings.Builder
	var value any
	typed := false
	for {
		tok, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch el := tok.(type) {
		case xml.CharData:
			text.Write(el)
		case xml.EndElement:
			if typed {
				return value, nil
			}
			return text.String(), nil
		case xml.StartElement:
			if value, err = decodeTyped(d, el.Name.Local); err != nil {
				return nil, err
			}
			typed = true
		}
	}
}

// decodeTyped reads the content of a type element up to its end tag.
func decodeTyped(d *xml.Decoder, kind string) (any, error) {
	switch kind {
	case "array":
		return decodeArray(d)
	case "struct":
		return nil, d.Skip()
	}
	text, err := charData(d)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "int", "i4":
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
		return int(n), err
	case "i8":
		return strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	case "boolean":
		return strings.TrimSpace(text) == "1", nil
	case "double":
		return strconv.ParseFloat(strings.TrimSpace(text), 64)
	default:
		return text, nil
	}
}

// decodeArray reads the values of an array up to its end tag.
func decodeArray(d *xml.Decoder) ([]any, error) {
	list := []any{}
	for {
		tok, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch el := tok.(type) {
		case xml.StartElement:
			if el.Name.Local == "value" {
				v, err := decodeValue(d)
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
		case xml.EndElement:
			if el.Name.Local == "array" {
				return list, nil
			}
		}
	}
}

// parseFault is the fault for a body that decodeCall refused. The texts are
// those that were recorded for a body without any XML and for one cut short.
func parseFault(err error) answer {
	detail := "syntax error"
	switch {
	case errors.Is(err, errNotCall):
		return fault(faultParse, "Call XML not a proper XML-RPC call.  "+
			"XML element is not a <methodCall> with a <methodName>")
	case strings.Contains(err.Error(), "unexpected EOF"):
		detail = `Invalid XML "content".  Problem with token at '...': no element found`
	}
	return fault(faultParse, "Call XML not a proper XML-RPC call.  Call is not valid XML.  "+detail)
}

// encode writes an answer as the family does, line ends included.
func (a answer) encode(f family) []byte {
	var b bytes.Buffer
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<methodResponse>\r\n")
	if a.code < 0 {
		fmt.Fprintf(&b, "<fault>\r\n<value><struct>\r\n"+
			"<member><name>faultCode</name>\r\n<value><i4>%d</i4></value></member>\r\n"+
			"<member><name>faultString</name>\r\n<value><string>%s</string></value></member>\r\n"+
			"</struct></value>\r\n</fault>\r\n", a.code, escapeText(a.text))
	} else {
		b.WriteString("<params>\r\n<param><value><array><data>\r\n")
		a.encodeElements(&b, f)
		b.WriteString("</data></array></value></param>\r\n</params>\r\n")
	}
	b.WriteString("</methodResponse>\r\n")
	return b.Bytes()
}

// encodeElements writes the elements of an answer that is no fault.
func (a answer) encodeElements(b *bytes.Buffer, f family) {
	if a.code != 0 {
		fmt.Fprintf(b, "<value><boolean>0</boolean></value>\r\n<value><string>%s</string></value>\r\n"+
			"<value><i4>%d</i4></value>\r\n", escapeText(a.text), a.code)
		if f >= f54 {
			fmt.Fprintf(b, "<value><i4>%d</i4></value>\r\n", a.obj)
		}
		if f >= f510 {
			b.WriteString("<value><i8>-1</i8></value>\r\n")
		}
		return
	}
	b.WriteString("<value><boolean>1</boolean></value>\r\n")
	if n, ok := a.value.(int); ok {
		fmt.Fprintf(b, "<value><i4>%d</i4></value>\r\n", n)
	} else {
		b.WriteString("<value><string>")
		b.WriteString(escapeText(fmt.Sprint(a.value)))
		b.WriteString("</string></value>\r\n")
	}
	b.WriteString("<value><i4>0</i4></value>\r\n")
}

// escapeText escapes as xmlrpc-c does; a carriage return becomes a character
// reference, everything else passes as it is, broken UTF-8 and control
// characters included.
func escapeText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#x0d;").Replace(s)
}
