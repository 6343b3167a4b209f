-- A session with its user and the user's customer, in one statement: every request needs them.
-- $1 is the session's id.
SELECT users.id AS user_id, users.email, role, customer_id, customers.name AS "customer_name?", language, preferred_locale AS "preferred_locale?",
       EXISTS (SELECT FROM user_totp WHERE user_totp.user_id = users.id AND confirmed_at IS NOT NULL) AS "has_second_factor!",
       (data ->> 'signed_in_at')::bigint AS signed_in_at, (data ->> 'seen_at')::bigint AS seen_at, (data ->> 'viewing')::uuid AS viewing
FROM sessions JOIN users ON users.id = sessions.user_id LEFT JOIN customers ON customers.id = customer_id
WHERE sessions.id = $1 AND expires_at > now() AND disabled_at IS NULL
