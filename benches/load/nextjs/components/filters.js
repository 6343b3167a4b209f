import { Icon } from './icon';

const STATUSES = ['draft', 'open', 'paid', 'void', 'uncollectible'];

function Field({ name, label, type, grow }) {
  return (
    <div className={grow ? 'field grow' : 'field'}>
      <label htmlFor={`filter-${name}`}>{label}</label>
      <input id={`filter-${name}`} name={name} type={type} defaultValue="" autoComplete="off" />
    </div>
  );
}

function Statuses() {
  return (
    <nav className="segments" aria-label="Status">
      <ul>
        <li><a href="/billing/invoices" aria-current="true">All</a></li>
        {STATUSES.map((status) => (
          <li key={status}><a href={`/billing/invoices?status=${status}`}>{status[0].toUpperCase() + status.slice(1)}</a></li>
        ))}
      </ul>
    </nav>
  );
}

export function Filters() {
  return (
    <details className="filter-box">
      <summary className="button">
        <Icon glyph="search" />
        <span>Filters</span>
      </summary>
      <div className="filter-content">
        <Statuses />
        <form method="get" action="/billing/invoices" className="filters" role="search" aria-label="Invoices">
          <Field name="q" label="Invoice number, text or amount" type="search" grow />
          <Field name="from" label="Issued from" type="date" />
          <Field name="to" label="Issued until" type="date" />
          <div className="field">
            <label htmlFor="filter-sort">Order</label>
            <select id="filter-sort" name="sort" defaultValue="">
              <option value="">Newest first</option>
              <option value="issued">Oldest first</option>
              <option value="-total">Largest first</option>
              <option value="total">Smallest first</option>
            </select>
          </div>
          <button className="button">
            <Icon glyph="search" />
            <span>Apply</span>
          </button>
        </form>
      </div>
    </details>
  );
}
