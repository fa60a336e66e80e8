"""Schemas with known relations, made here in the shapes of well-known ones, with the traps that real ones have.

A table is `rows` and its columns in words: `pk` counts from one, `code 3` is a key of letters, `> table.key` refers to
it (`? 0.2`: NULL in a fifth of the rows, `! 0.1`: a tenth are orphans, `~ 3`: only its first three values come),
`int a b`, `text`, `real`, `day` and `null` refer to nothing.
"""

# ruff: noqa: E501 - tables of words, one column a place

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

Spec = Mapping[str, tuple[int, Mapping[str, str]]]
Truth = frozenset[tuple[str, str, str, str]]

FLIGHTS: Spec = {
    "airlines": (16, {"carrier": "code 2", "name": "text"}),
    "airports": (1_458, {"faa": "code 3", "name": "text", "lat": "real", "tz": "int -10 0"}),
    "planes": (3_322, {"tailnum": "code 6", "year": "int 1956 2013", "engines": "int 1 4", "seats": "int 2 450"}),
    "weather": (26_115, {"origin": "> airports.faa ~ 3", "month": "int 1 12", "hour": "int 0 23", "temp": "real"}),
    "flights": (
        60_000,
        {
            "flight_date": "day", "carrier": "> airlines.carrier", "flight": "int 1 8500",
            "tailnum": "> planes.tailnum ? 0.007 ! 0.156", "origin": "> airports.faa ~ 3",
            "dest": "> airports.faa ~ 105 ! 0.022", "air_time": "int 20 695", "hour": "int 1 23", "minute": "int 0 59",
        },
    ),
}  # fmt: skip

TPCH: Spec = {
    "region": (5, {"r_regionkey": "pk", "r_name": "text", "r_comment": "text"}),
    "nation": (25, {"n_nationkey": "pk", "n_name": "text", "n_regionkey": "> region.r_regionkey"}),
    "supplier": (100, {"s_suppkey": "pk", "s_name": "text", "s_nationkey": "> nation.n_nationkey", "s_acctbal": "real"}),
    "customer": (1_500, {"c_custkey": "pk", "c_name": "text", "c_nationkey": "> nation.n_nationkey", "c_acctbal": "real"}),
    "part": (2_000, {"p_partkey": "pk", "p_name": "text", "p_size": "int 1 50", "p_retailprice": "real"}),
    "partsupp": (
        8_000,
        {"ps_partkey": "> part.p_partkey", "ps_suppkey": "> supplier.s_suppkey", "ps_availqty": "int 1 9999"},
    ),
    "orders": (
        15_000,
        {"o_orderkey": "pk", "o_custkey": "> customer.c_custkey", "o_orderdate": "day", "o_shippriority": "int 0 0"},
    ),
    "lineitem": (
        60_000,
        {
            "l_orderkey": "> orders.o_orderkey", "l_partkey": "> part.p_partkey", "l_suppkey": "> supplier.s_suppkey",
            "l_linenumber": "int 1 7", "l_quantity": "int 1 50", "l_shipdate": "day",
        },
    ),
}  # fmt: skip

MUSIC: Spec = {
    "Artist": (275, {"ArtistId": "pk", "Name": "text"}),
    "Album": (347, {"AlbumId": "pk", "Title": "text", "ArtistId": "> Artist.ArtistId"}),
    "Genre": (25, {"GenreId": "pk", "Name": "text"}),
    "MediaType": (5, {"MediaTypeId": "pk", "Name": "text"}),
    "Track": (
        3_503,
        {
            "TrackId": "pk", "Name": "text", "AlbumId": "> Album.AlbumId", "MediaTypeId": "> MediaType.MediaTypeId",
            "GenreId": "> Genre.GenreId ? 0.1", "Milliseconds": "int 1000 500000", "Bytes": "int 38747 9999999",
        },
    ),
    "Employee": (8, {"EmployeeId": "pk", "LastName": "text", "ReportsTo": "> Employee.EmployeeId ? 0.15"}),
    "Customer": (59, {"CustomerId": "pk", "Email": "text", "SupportRepId": "> Employee.EmployeeId ~ 3"}),
    "Invoice": (412, {"InvoiceId": "pk", "CustomerId": "> Customer.CustomerId", "InvoiceDate": "day", "Total": "real"}),
    "InvoiceLine": (
        2_240,
        {
            "InvoiceLineId": "pk", "InvoiceId": "> Invoice.InvoiceId", "TrackId": "> Track.TrackId",
            "Quantity": "int 1 1",
        },
    ),
    "Playlist": (18, {"PlaylistId": "pk", "Name": "text"}),
    "PlaylistTrack": (8_715, {"PlaylistId": "> Playlist.PlaylistId", "TrackId": "> Track.TrackId"}),
}  # fmt: skip

RENTALS: Spec = {
    "country": (109, {"country_id": "pk", "country": "text"}),
    "city": (600, {"city_id": "pk", "city": "text", "country_id": "> country.country_id"}),
    "address": (603, {"address_id": "pk", "address": "text", "city_id": "> city.city_id"}),
    "language": (6, {"language_id": "pk", "name": "text"}),
    "category": (16, {"category_id": "pk", "name": "text"}),
    "actor": (200, {"actor_id": "pk", "first_name": "text", "last_name": "text"}),
    "film": (
        1_000,
        {
            "film_id": "pk", "title": "text", "language_id": "> language.language_id ~ 1",
            "original_language_id": "> language.language_id ? 0.9", "rental_duration": "int 3 7", "length": "int 46 185",
        },
    ),
    "film_actor": (5_462, {"actor_id": "> actor.actor_id", "film_id": "> film.film_id"}),
    "film_category": (1_000, {"film_id": "= film.film_id", "category_id": "> category.category_id"}),
    "store": (2, {"store_id": "pk", "manager_staff_id": "= staff.staff_id", "address_id": "> address.address_id"}),
    "staff": (
        2, {"staff_id": "pk", "first_name": "text", "address_id": "> address.address_id", "store_id": "= store.store_id"}
    ),
    "customer": (
        599,
        {"customer_id": "pk", "store_id": "> store.store_id", "address_id": "> address.address_id", "active": "int 0 1"},
    ),
    "inventory": (4_581, {"inventory_id": "pk", "film_id": "> film.film_id", "store_id": "> store.store_id"}),
    "rental": (
        16_044,
        {
            "rental_id": "pk", "rental_date": "day", "inventory_id": "> inventory.inventory_id",
            "customer_id": "> customer.customer_id", "staff_id": "> staff.staff_id",
        },
    ),
    "payment": (
        16_049,
        {
            "payment_id": "pk", "customer_id": "> customer.customer_id", "staff_id": "> staff.staff_id",
            "rental_id": "> rental.rental_id ? 0.001", "amount": "real",
        },
    ),
}  # fmt: skip

TRADE: Spec = {
    "Customers": (91, {"CustomerID": "code 5", "CompanyName": "text", "City": "text"}),
    "Employees": (9, {"EmployeeID": "pk", "LastName": "text", "ReportsTo": "> Employees.EmployeeID ? 0.1"}),
    "Shippers": (3, {"ShipperID": "pk", "CompanyName": "text"}),
    "Suppliers": (29, {"SupplierID": "pk", "CompanyName": "text"}),
    "Categories": (8, {"CategoryID": "pk", "CategoryName": "text"}),
    "Region": (4, {"RegionID": "pk", "RegionDescription": "text"}),
    "Territories": (53, {"TerritoryID": "code 5", "RegionID": "> Region.RegionID"}),
    "EmployeeTerritories": (
        49, {"EmployeeID": "> Employees.EmployeeID", "TerritoryID": "> Territories.TerritoryID"}
    ),
    "Products": (
        77,
        {
            "ProductID": "pk", "ProductName": "text", "SupplierID": "> Suppliers.SupplierID",
            "CategoryID": "> Categories.CategoryID", "UnitsInStock": "int 0 125", "ReorderLevel": "int 0 30",
        },
    ),
    "Orders": (
        830,
        {
            "OrderID": "pk", "CustomerID": "> Customers.CustomerID", "EmployeeID": "> Employees.EmployeeID",
            "OrderDate": "day", "ShipVia": "> Shippers.ShipperID", "Freight": "real",
        },
    ),
    "Order Details": (
        2_155, {"OrderID": "> Orders.OrderID", "ProductID": "> Products.ProductID", "Quantity": "int 1 130"}
    ),
}  # fmt: skip

TICKETS: Spec = {
    "users": (200, {"id": "pk", "email": "text", "team_id": "> teams.id"}),
    "teams": (12, {"id": "pk", "name": "text", "lead_id": "> users.id"}),
    "statuses": (3, {"id": "pk", "name": "text"}),
    "priorities": (4, {"id": "pk", "name": "text"}),
    "projects": (20, {"id": "pk", "code": "code 4", "owner_id": "> users.id", "dept_id": "> departments.id"}),
    "departments": (7, {"id": "pk", "name": "text"}),
    "issues": (
        9_000,
        {
            "id": "pk", "project_code": "> projects.code", "status_id": "> statuses.id", "priority_id": "> priorities.id",
            "author_id": "> users.id", "assignee_user_id": "> users.id ? 0.3", "parent_id": "> issues.id ? 0.7",
            "votes": "int 1 5", "estimate": "int 1 40", "external_id": "int 1 100", "seq_no": "int 1 200",
        },
    ),
    "comments": (30_000, {"id": "pk", "issue_id": "> issues.id", "created_by": "> users.id", "likes": "int 0 20"}),
    "labels": (40, {"id": "pk", "name": "text"}),
    "issue_labels": (12_000, {"issue_id": "> issues.id", "label_id": "> labels.id"}),
    "profiles": (150, {"user_id": "= users.id", "bio": "text", "age": "int 18 70"}),
    "sessions": (20_000, {"id": "pk", "usr_id": "> users.id", "pages": "int 1 30", "device_type": "int 1 3"}),
}  # fmt: skip

SHOP: Spec = {
    "dim_customer": (5_000, {"customer_key": "pk", "customer_nk": "code 8", "segment": "int 1 5"}),
    "dim_product": (800, {"product_key": "pk", "sku": "code 7", "list_price": "real"}),
    "dim_store": (60, {"store_key": "pk", "city": "text"}),
    "dim_date": (730, {"date_key": "pk", "day": "day", "month": "int 1 12"}),
    "fct_sales": (
        50_000,
        {
            "sale_id": "pk", "customer_key": "> dim_customer.customer_key ! 0.01", "product_key": "> dim_product.product_key",
            "store_key": "> dim_store.store_key", "order_date_key": "> dim_date.date_key",
            "ship_date_key": "> dim_date.date_key ? 0.1", "quantity": "int 1 12", "discount_pct": "int 0 50",
        },
    ),
    "fct_returns": (
        3_000, {"return_id": "pk", "sale_id": "> fct_sales.sale_id", "reason_code": "int 1 9", "days_after": "int 1 60"}
    ),
    "stg_clicks": (20_000, {"click_id": "pk", "sku": "> dim_product.sku", "position": "int 1 40", "campaign_id": "int 1 50"}),
    "fx_rates": (700, {"rate_date": "day", "rate": "real"}),
}  # fmt: skip

CLINIC: Spec = {
    "patients": (2_500, {"patient_no": "pk", "surname": "text", "gp_doctor_no": "> doctors.doctor_no ? 0.05"}),
    "doctors": (80, {"doctor_no": "pk", "surname": "text", "ward_code": "> wards.ward_code"}),
    "wards": (14, {"ward_code": "code 3", "floor": "int 1 6", "beds": "int 4 30"}),
    "drugs": (600, {"atc": "code 7", "label": "text", "strength": "int 1 500"}),
    "visits": (
        12_000,
        {
            "visit_no": "pk", "patient_no": "> patients.patient_no", "seen_by": "> doctors.doctor_no",
            "ward": "> wards.ward_code", "visit_day": "day", "triage": "int 1 5", "minutes": "int 5 240",
        },
    ),
    "prescriptions": (
        18_000,
        {
            "prescription_no": "pk", "visit_no": "> visits.visit_no ! 0.004", "drug_atc": "> drugs.atc",
            "repeats_prescription_no": "> prescriptions.prescription_no ? 0.8", "packs": "int 1 4",
        },
    ),
    "rota": (3_000, {"doctor_no": "> doctors.doctor_no", "ward_code": "> wards.ward_code", "week": "int 1 53"}),
    "invoices": (9_000, {"invoice_no": "pk", "patient_no": "> patients.patient_no", "lines": "int 1 9"}),
}  # fmt: skip
"""Written down after the last change to the search; nothing was chosen by it."""

SCHEMAS: Mapping[str, Spec] = {
    "flights": FLIGHTS, "tpch": TPCH, "music": MUSIC, "rentals": RENTALS, "trade": TRADE, "tickets": TICKETS,
    "shop": SHOP, "clinic": CLINIC,
}  # fmt: skip


def truth_of(spec: Spec) -> Truth:
    """(table, column, table referred to, its key) of each relation."""
    found = set()
    for table, (_, columns) in spec.items():
        for name, words in columns.items():
            if words[0] in ">=":
                to, _, key = words.split()[1].rpartition(".")
                found.add((table, name, to, key))
    return frozenset(found)


def make(spec: Spec, seed: int = 7) -> dict[str, pd.DataFrame]:
    """The schema's tables, filled."""
    rng = np.random.default_rng(seed)
    keys: dict[tuple[str, str], np.ndarray[Any, Any]] = {}
    for table, (rows, columns) in spec.items():
        for name, words in columns.items():
            if words == "pk":
                keys[table, name] = np.arange(1, rows + 1)
            elif words.startswith("code"):
                keys[table, name] = _codes(rng, rows, int(words.split()[1]))
    return {
        table: pd.DataFrame({name: _column(rng, rows, words, keys, (table, name)) for name, words in columns.items()})
        for table, (rows, columns) in spec.items()
    }


def _codes(rng: np.random.Generator, rows: int, length: int) -> np.ndarray[Any, Any]:
    letters = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    found: dict[str, None] = {}
    while len(found) < rows:
        found["".join(rng.choice(letters, length))] = None
    return np.array(list(found), dtype=object)


def _column(
    rng: np.random.Generator, rows: int, words: str, keys: Mapping[tuple[str, str], np.ndarray[Any, Any]],
    at: tuple[str, str],
) -> Any:  # fmt: skip
    kind, *rest = words.split()
    if at in keys:
        return keys[at]
    if kind == "int":
        return rng.integers(int(rest[0]), int(rest[1]) + 1, rows)
    if kind == "real":
        return rng.normal(50, 20, rows).round(2)
    if kind == "day":
        return pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 365, rows), unit="D")
    if kind == "text":
        return [f"{at[1]} {number:05d}" for number in rng.integers(0, 10 * rows, rows)]
    return _referring(rng, rows, kind, rest, keys)


def _referring(
    rng: np.random.Generator, rows: int, kind: str, rest: list[str], keys: Mapping[tuple[str, str], np.ndarray[Any, Any]]
) -> Any:  # fmt: skip
    table, _, key = rest[0].rpartition(".")
    pool = keys[table, key]
    if kind == "=":
        return rng.permutation(pool)[:rows]
    told = dict(zip(rest[1::2], rest[2::2], strict=True))
    pool_used = pool[: int(told["~"])] if "~" in told else pool
    values = pd.Series(rng.choice(pool_used, rows))
    if "!" in told:
        bad = rng.random(rows) < float(told["!"])
        text = not pd.api.types.is_numeric_dtype(values)
        values = values.where(~bad, [f"#{n}" for n in rng.integers(1, 400, rows)] if text else values + len(pool) // 5)
    if "?" not in told:
        return values
    whole = values.astype("Int64") if pd.api.types.is_numeric_dtype(values) else values
    return whole.where(rng.random(rows) >= float(told["?"]), None)
