// Reads one login with its steps per line, answers with one line of replies.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	mssql "github.com/denisenkom/go-mssqldb"
)

type parameter struct {
	Name, Type string
	Value      *string
}

type step struct {
	Kind, Sql  string
	Parameters []parameter
	Again      []*string
}

type work struct {
	Login struct {
		Host, User, Password, Database string
		Port                           int
		ReadOnlyIntent                 bool
	}
	Steps []step
}

type message struct {
	Number   int32  `json:"number"`
	Severity uint8  `json:"severity"`
	State    uint8  `json:"state"`
	Text     string `json:"text"`
}

type set struct {
	Columns []string    `json:"columns"`
	Rows    [][]*string `json:"rows"`
}

type reply struct {
	Sets      []*set    `json:"sets"`
	Messages  []message `json:"messages"`
	Cancelled bool      `json:"cancelled"`
}

func (r *reply) failed(err error) {
	if e, ok := err.(mssql.Error); ok {
		r.Messages = append(r.Messages, message{e.Number, e.Class, e.State, e.Message})
	} else if err != nil {
		r.Messages = append(r.Messages, message{Text: strings.TrimPrefix(err.Error(), "Login error: mssql: ")})
	}
}

func text(value interface{}, kind string) *string {
	var s string
	switch v := value.(type) {
	case nil:
		return nil
	case []byte:
		switch kind {
		case "DECIMAL", "MONEY":
			s = string(v)
		case "UNIQUEIDENTIFIER":
			var id mssql.UniqueIdentifier
			_ = id.Scan(v)
			s = id.String()
		default:
			s = strings.ToUpper(hex.EncodeToString(v))
		}
	case bool:
		s = "0"
		if v {
			s = "1"
		}
	case float64:
		s = strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		s = v.Format("2006-01-02T15:04:05.000")
	default:
		s = fmt.Sprint(v)
	}
	return &s
}

func argument(p parameter) interface{} {
	var v interface{}
	if p.Value != nil {
		v = *p.Value
		switch p.Type {
		case "int":
			v, _ = strconv.ParseInt(*p.Value, 10, 64)
		case "varbinary":
			v, _ = hex.DecodeString(*p.Value)
		}
	}
	return sql.Named(p.Name, v)
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...interface{}) (*sql.Rows, error)
}

func query(on querier, ctx context.Context, s step, r *reply) {
	var arguments []interface{}
	for _, p := range s.Parameters {
		arguments = append(arguments, argument(p))
	}
	rows, err := on.QueryContext(ctx, s.Sql, arguments...)
	if err != nil {
		r.Cancelled = ctx.Err() != nil
		if !r.Cancelled {
			r.failed(err)
		}
		return
	}
	defer rows.Close()
	for {
		columns, _ := rows.Columns()
		types, _ := rows.ColumnTypes()
		if len(columns) > 0 {
			now := &set{Columns: columns, Rows: [][]*string{}}
			r.Sets = append(r.Sets, now)
			for rows.Next() {
				values, into := make([]interface{}, len(columns)), make([]interface{}, len(columns))
				for i := range values {
					into[i] = &values[i]
				}
				if err := rows.Scan(into...); err != nil {
					r.failed(err)
				}
				row := make([]*string, len(columns))
				for i := range values {
					row[i] = text(values[i], types[i].DatabaseTypeName())
				}
				now.Rows = append(now.Rows, row)
			}
		}
		if !rows.NextResultSet() {
			break
		}
	}
	r.Cancelled = ctx.Err() != nil
	if !r.Cancelled {
		r.failed(rows.Err())
	}
}

// Sends two rows in bulk.
func load(conn *sql.Conn, s step) error {
	var columns []string
	rows := make([][]interface{}, 2)
	for i, p := range s.Parameters {
		columns = append(columns, p.Name)
		rows[0] = append(rows[0], argument(p).(sql.NamedArg).Value)
		p.Value = s.Again[i]
		rows[1] = append(rows[1], argument(p).(sql.NamedArg).Value)
	}
	statement, err := conn.PrepareContext(context.Background(), mssql.CopyIn(s.Sql, mssql.MssqlBulkOptions{}, columns...))
	if err != nil {
		return err
	}
	defer statement.Close()
	for _, row := range rows {
		if _, err = statement.Exec(row...); err != nil {
			return err
		}
	}
	_, err = statement.Exec()
	return err
}

func run(w work) []*reply {
	first := &reply{Sets: []*set{}, Messages: []message{}}
	replies := []*reply{first}
	// Encrypted, this version of it panics at the end of a connection.
	options := url.Values{"database": {w.Login.Database}, "encrypt": {"disable"}}
	if w.Login.ReadOnlyIntent {
		options.Set("ApplicationIntent", "ReadOnly")
	}
	address := url.URL{
		Scheme: "sqlserver", User: url.UserPassword(w.Login.User, w.Login.Password),
		Host: fmt.Sprintf("%s:%d", w.Login.Host, w.Login.Port), RawQuery: options.Encode(),
	}
	db, err := sql.Open("sqlserver", address.String())
	if err != nil {
		first.failed(err)
		return replies
	}
	defer db.Close()
	conn, err := db.Conn(context.Background())
	if err != nil {
		first.failed(err)
		return replies
	}
	defer conn.Close()
	var transaction *sql.Tx
	for _, s := range w.Steps {
		r := &reply{Sets: []*set{}, Messages: []message{}}
		replies = append(replies, r)
		var on querier = conn
		if transaction != nil {
			on = transaction
		}
		switch s.Kind {
		case "Begin":
			transaction, err = conn.BeginTx(context.Background(), nil)
			r.failed(err)
		case "Commit":
			r.failed(transaction.Commit())
			transaction = nil
		case "Rollback":
			r.failed(transaction.Rollback())
			transaction = nil
		case "Bulk":
			r.failed(load(conn, s))
		case "Cancelled":
			// It shows no messages, so nothing tells that the batch has begun.
			ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
			query(on, ctx, s, r)
			cancel()
		default:
			query(on, context.Background(), s, r)
		}
	}
	return replies
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var w work
		if err := json.Unmarshal(line, &w); err != nil {
			panic(err)
		}
		answer, _ := json.Marshal(run(w))
		fmt.Println(string(answer))
	}
}
