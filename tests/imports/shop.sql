CREATE SCHEMA raw;
CREATE TABLE raw.customers AS
SELECT i AS id,
       CASE WHEN i = 13 THEN '  ' ELSE 'name ' || i END AS first_name,
       CASE WHEN i = 7 THEN NULL WHEN i = 8 THEN 'broken' WHEN i = 9 THEN 'c10@example.com' ELSE 'c' || i || '@example.com' END AS email,
       CASE WHEN i = 11 THEN 'XX' WHEN i = 12 THEN NULL WHEN i % 3 = 0 THEN 'DE' WHEN i % 3 = 1 THEN 'FR' ELSE 'US' END AS country,
       DATE '2024-01-01' + CAST(i AS INTEGER) AS signup,
       CASE WHEN i = 14 THEN -5.0 ELSE i * 10.0 END AS credit,
       CAST(CASE WHEN i < 31 THEN NULL ELSE i END AS INTEGER) AS referrer,
       'retail' AS segment
FROM range(1, 41) AS t(i);
CREATE TABLE raw.orders AS
SELECT CAST(CASE WHEN i = 51 THEN 50 ELSE i END AS INTEGER) AS id,
       CAST(CASE WHEN i % 40 = 0 THEN NULL WHEN i = 77 THEN 999 ELSE 1 + i % 40 END AS INTEGER) AS customer_id,
       CASE WHEN i IN (60, 61) THEN 'lost' WHEN i = 62 THEN NULL WHEN i % 3 = 0 THEN 'placed' WHEN i % 3 = 1 THEN 'shipped' ELSE 'returned' END AS status,
       CAST(CASE WHEN i = 33 THEN NULL ELSE i * 1.5 END AS DOUBLE) AS amount,
       CAST(CASE WHEN i = 44 THEN 500 WHEN i = 33 THEN 1 ELSE i % 5 END AS DOUBLE) AS discount,
       CASE WHEN i = 45 THEN 'ord-45' WHEN i = 46 THEN '' WHEN i = 47 THEN NULL ELSE 'ORD-' || lpad(CAST(i AS VARCHAR), 4, '0') END AS code,
       TIMESTAMP '2024-03-01 08:00:00' + to_minutes(CAST(i * 60 AS INTEGER)) AS ordered_at,
       CASE WHEN i = 90 THEN TIMESTAMP '2024-02-01 00:00:00' WHEN i % 3 = 0 THEN NULL
            ELSE TIMESTAMP '2024-03-02 08:00:00' + to_minutes(CAST(i * 60 AS INTEGER)) END AS shipped_at,
       CAST(1 + i % 4 AS INTEGER) AS line,
       CAST(1 + i // 4 AS INTEGER) AS basket
FROM range(1, 201) AS t(i);
CREATE TABLE raw.payments AS
SELECT CAST(i AS INTEGER) AS id, CAST(i AS INTEGER) AS order_id, CASE WHEN i % 2 = 0 THEN 'card' ELSE 'cash' END AS method,
       CAST(i * 1.5 AS DOUBLE) AS amount, CAST(i % 10 AS INTEGER) AS seat, CAST(i + 100 AS INTEGER) AS running
FROM range(1, 181) AS t(i);
CREATE TABLE raw.prices AS
SELECT CAST(1 + i // 4 AS INTEGER) AS product, DATE '2024-01-01' + CAST(30 * (i % 4) AS INTEGER) AS valid_from,
       DATE '2024-01-01' + CAST(30 * (i % 4) + CASE WHEN i = 9 THEN 45 ELSE 30 END AS INTEGER) AS valid_to, i * 2.0 AS price
FROM range(0, 12) AS t(i);
CREATE VIEW customers AS SELECT * FROM raw.customers;
CREATE VIEW orders AS SELECT * FROM raw.orders;
CREATE VIEW payments AS SELECT * FROM raw.payments;
CREATE VIEW prices AS SELECT * FROM raw.prices;
