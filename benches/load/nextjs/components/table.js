import { date, machine, money, period } from '../lib/format';
import { Icon } from './icon';

const STATUS = {
  draft: ['Draft', 'neutral'],
  open: ['Open', 'warning'],
  paid: ['Paid', 'good'],
  void: ['Void', 'neutral'],
  uncollectible: ['Uncollectible', 'danger'],
};

function Badge({ tone, text, glyph }) {
  return (
    <span className={`badge tone-${tone}`}>
      {glyph && <Icon glyph={glyph} />}
      <span>{text}</span>
    </span>
  );
}

function Badges({ invoice }) {
  const [title, tone] = STATUS[invoice.status];
  const { amount_refunded: refunded, amount_paid: paid, total } = invoice;
  const credited = invoice.credit_notes_pre_payment + invoice.credit_notes_post_payment;
  const overdue = invoice.status === 'open' && invoice.due_date && invoice.due_date < new Date();
  return (
    <span className="badges">
      <Badge tone={tone} text={title} />
      {overdue && <Badge tone="danger" text="Overdue" glyph="over" />}
      {refunded !== 0 && <Badge tone="neutral" text={refunded >= paid ? 'Refunded' : 'Partly refunded'} />}
      {credited > 0 && <Badge tone="neutral" text={credited >= total ? 'Credited' : 'Partly credited'} />}
    </span>
  );
}

function Moment({ at }) {
  return <time dateTime={machine(at)}>{date(at)}</time>;
}

function Row({ invoice }) {
  const { id, number, status, currency, total, amount_remaining: remaining } = invoice;
  const [issued, due] = invoice.due_date ? ['wide', 'end named'] : [invoice.issued_at ? 'end named' : 'end', 'wide'];
  return (
    <tr role="row">
      <th role="rowheader" scope="row"><a className="row-link" href={`/billing/invoices/${id}`}>{number ?? 'Draft'}</a></th>
      <td role="cell"><Badges invoice={invoice} /></td>
      <td role="cell" className="wide">{invoice.period_start ? period(invoice.period_start, invoice.period_end) : '–'}</td>
      <td role="cell" className={issued} data-label="Issued">
        {!invoice.issued_at && 'Created '}
        <Moment at={invoice.issued_at ?? invoice.created_at} />
      </td>
      <td role="cell" className={due} data-label="Due">{invoice.due_date ? <Moment at={invoice.due_date} /> : '–'}</td>
      <td role="cell" className="number first">
        <strong>{money(total, currency)}</strong>
        {status === 'open' && remaining !== total && <small>{`${money(remaining, currency)} left to pay`}</small>}
      </td>
    </tr>
  );
}

export function InvoiceTable({ invoices }) {
  return (
    <div className="table-frame">
      <table className="table rows" role="table">
        <caption className="visually-hidden">Invoices</caption>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">Number</th>
            <th role="columnheader" scope="col">Status</th>
            <th role="columnheader" scope="col">Period</th>
            <th role="columnheader" scope="col">Issued</th>
            <th role="columnheader" scope="col">Due</th>
            <th role="columnheader" scope="col" className="number">Amount</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {invoices.map((invoice) => <Row key={invoice.id} invoice={invoice} />)}
        </tbody>
      </table>
    </div>
  );
}
