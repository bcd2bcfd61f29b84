-- Two buyers, stock 1: the update asks that the version is still the one that was read
create table product (id int primary key, stock int, version int);
insert into product values (1, 1, 7);

T1: begin;
T2: begin;
T1: select stock, version from product where id = 1;
T2: select stock, version from product where id = 1;
T1: update product set stock = 0, version = 8 where id = 1 and version = 7;
T2: update product set stock = 0, version = 8 where id = 1 and version = 7;
T1: commit;
T2: commit;
